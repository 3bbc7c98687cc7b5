"""Ending a stop: what the verb says, and what settling does afterwards."""

from dataclasses import replace
from typing import Any

import pytest

from functions.adapters.memory_kafka import MemoryRecord
from functions.core.errors import Flood, OffsetsWentBack, Refused
from functions.core.intent import Gap
from functions.core.ports import StopReason
from functions.operate.resume.run import ResumeRequest, run
from functions.operate.resume.text import ENDED
from tests.unit.operate.settling import MINUTE_MS, NEWEST, settler_of, slice_of
from tests.unit.operate.world import TOPIC, Output, World, source

SINCE = "2026-11-23T11:00:00.000Z"
SOURCE = source(3)


def resume(world: World, **request: Any) -> list[str]:
    output = Output()
    run(world.context, ResumeRequest(3, **request), output)
    return output.lines


@pytest.fixture
def settled(world: World) -> World:
    """A stage whose partition 3 is settled up to 5000."""
    world.settle(3, 5000, NEWEST)
    return world


def test_a_flood_says_which_rejects_become_dead_letters(settled: World) -> None:
    settled.stop(3, StopReason.FLOOD)
    assert resume(settled) == [
        f"stop    flood, since {SINCE} (60 min ago), at the slice [5000, 5999]",
        "detail  why flood",
        "ledger  next 5000; step 0",
        "then    rejects up to offset 5999 will become dead letters, whatever their share is",
        "        after that offset the flood limit applies again, and counts from zero",
        f"to end the stop: tandem resume 3 --since {SINCE} --execute",
    ]
    position = settled.ledger.positions[SOURCE]
    assert position.stop is not None
    settled.ledger.positions[SOURCE] = replace(position, window=((900, 400),))
    assert resume(settled, expected=SINCE, execute=True)[-1] == ENDED
    assert settled.ledger.read(SOURCE) == replace(position, stop=None, accepted=5999, window=())


def test_offsets_that_went_back_say_what_counts_as_settled_and_name_rewind(settled: World) -> None:
    settled.stop(3, StopReason.OFFSETS_WENT_BACK, newest=NEWEST + MINUTE_MS)
    settled.kafka.logs[TOPIC][3].records += [MemoryRecord(NEWEST + 1, None, b"{}", ())] * 1600
    lines = resume(settled, execute=True)
    assert lines[3:6] == [
        "then    records below offset 5000 count as settled, up to those of 2026-11-23 11:01:00Z: none becomes a row",
        "        the log holds [0, 1600): 1,600 offsets of it",
        "        to settle them, rewind instead, which also ends the stop: tandem rewind 3 --to OFFSET",
    ]
    position = settled.ledger.read(SOURCE)
    assert position is not None
    assert (position.stop, position.newest, position.next) == (None, NEWEST + MINUTE_MS, 5000)


def test_without_brokers_a_stop_is_shown_and_ended_too(settled: World) -> None:
    settled.stop(3, StopReason.OFFSETS_WENT_BACK)
    settled.kafka.reachable = False
    assert resume(settled, execute=True)[-1] == ENDED


def test_a_corrupt_object_is_read_again_or_set_aside_first(settled: World) -> None:
    settled.stop(3, StopReason.CORRUPT)
    lines = resume(settled, execute=True)
    assert lines[3:5] == [
        "then    the object at offset 5000 is read again: resume after a release that can read it",
        "        or set it aside first: tandem quarantine 3",
    ]
    position = settled.ledger.read(SOURCE)
    assert position is not None
    assert (position.stop, position.newest, position.accepted) == (None, NEWEST, -1)


def test_a_partition_that_is_not_stopped_or_not_known_is_refused(settled: World) -> None:
    with pytest.raises(Refused, match="logins: user-login-3 is not stopped"):
        resume(settled)
    with pytest.raises(Refused, match="the ledger knows no partition 2 of user-login"):
        run(settled.context, ResumeRequest(2), Output())


def test_another_stop_than_the_one_shown_is_not_ended(settled: World) -> None:
    settled.stop(3, StopReason.FLOOD)
    with pytest.raises(Refused, match=f"stopped since {SINCE}, not 2026-01-01T00:00:00.000Z as in --since"):
        resume(settled, expected="2026-01-01T00:00:00.000Z", execute=True)
    assert settled.ledger.positions[SOURCE].stop is not None


def test_of_two_operators_at_once_one_wins_and_the_other_is_told(settled: World) -> None:
    settled.stop(3, StopReason.FLOOD)

    class SlowOutput(Output):
        """The other operator ends the stop while this one reads what it means."""

        def __call__(self, text: str) -> None:
            if text.startswith("then"):
                assert resume(settled, execute=True)[-1] == ENDED

    with pytest.raises(Refused, match="another operator was faster, nothing was done"):
        run(settled.context, ResumeRequest(3, execute=True), SlowOutput())


def test_detail_of_a_stop_cannot_break_a_line(settled: World) -> None:
    stop = settled.stop(3, StopReason.CORRUPT)
    position = settled.ledger.positions[SOURCE]
    settled.ledger.positions[SOURCE] = replace(position, stop=replace(stop, detail="x\nthen  nothing\x1b[2J"))
    assert resume(settled)[1] == r"detail  x\nthen  nothing\x1b[2J"


def test_only_the_accepted_rejects_pass_and_the_window_begins_anew(settled: World) -> None:
    """A worker that is restarted cuts another slice than the refused one, and more rejects follow."""
    settler = settler_of(settled)
    with pytest.raises(Flood):
        settler.settle(slice_of(5000, good=400, bad=600))
    with pytest.raises(Flood, match="until an operator resumes it"):
        settler.settle(slice_of(5000, good=3000, bad=0))
    resume(settled, execute=True)
    with pytest.raises(Flood, match="3000 of the last 3000 records"):
        settler.settle(slice_of(5000, good=400, bad=3600))
    position = settled.ledger.read(SOURCE)
    assert position is not None
    assert (position.next, position.accepted, position.window) == (6000, 5999, ())
    assert len(settled.letters.bucket) == 600
    resume(settled, execute=True)
    settler.settle(slice_of(6000, good=0, bad=3000))
    settler.settle(slice_of(9000, good=10, bad=0))
    assert len(settled.letters.bucket) == 3600


def test_what_a_mapping_gave_up_during_a_flood_is_a_gap(settled: World) -> None:
    settler = settler_of(settled)
    with pytest.raises(Flood):
        settler.settle(slice_of(5000, good=0, bad=1000))
    resume(settled, execute=True)
    settler.settle(slice_of(7000, good=10, bad=0))
    assert settled.ledger.gaps[SOURCE] == [Gap(5000, 6999)]


def test_resumed_offsets_below_next_count_as_settled_and_newer_ones_stop_again(settled: World) -> None:
    settler = settler_of(settled)
    with pytest.raises(OffsetsWentBack):
        settler.settle(slice_of(0, good=1000, timestamp=NEWEST + 5))
    resume(settled, execute=True)
    assert settler.settle(slice_of(0, good=1000, timestamp=NEWEST + 5)).already_settled == 1000
    with pytest.raises(OffsetsWentBack):
        settler.settle(slice_of(1000, good=1, timestamp=NEWEST + MINUTE_MS))
