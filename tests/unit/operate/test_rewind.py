"""Rewinding: the rules one by one, then the verb on a stage in memory."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest

from functions.adapters.memory_kafka import MemoryKafka, MemoryRecord
from functions.core.errors import Refused
from functions.core.intent import Gap
from functions.core.operator_ports import GroupMember, LogBounds
from functions.core.ports import Opening, Position, StopReason, Suspect
from functions.operate.rewind.rules import PartitionSnapshot, refusal
from functions.operate.rewind.run import RewindRequest, run
from functions.operate.rewind.snapshot import opening_days
from functions.operate.rewind.text import MEANING
from tests.unit.operate.world import NOW, TOPIC, Output, World, letter, source

NEWEST = 1_795_440_410_000
SOURCE = source(3)
RECREATED = PartitionSnapshot(
    source=SOURCE, to=0, position=Position(5000, 0, None, NEWEST), is_known_topic=False, bounds=LogBounds(0, 120),
    first_newer=0, committed=5000, has_members=False, gaps=(), unfinished=False, objects=(), letters=0,
)  # fmt: skip
RESTORED = replace(RECREATED, to=4000, bounds=LogBounds(0, 4100), first_newer=4000)
GROWN = replace(RECREATED, bounds=LogBounds(0, 6000))
OBJECTS = ((date(2026, 11, 23), 5), (date(2026, 11, 23), 9))


@pytest.mark.parametrize(
    "snapshot",
    [
        RECREATED,
        RESTORED,
        replace(RESTORED, bounds=LogBounds(0, 4000), first_newer=None),
        GROWN,
        replace(RECREATED, gaps=[Gap(1, 5)]),
    ],
    ids=["recreated", "restored", "restored without new records", "recreated and longer than before", "old gaps"],
)
def test_another_log_may_be_rewound_to_where_it_is_new(snapshot: PartitionSnapshot) -> None:
    assert refusal(snapshot, all_new=False) is None


@pytest.mark.parametrize(
    ("snapshot", "why"),
    [
        (replace(GROWN, first_newer=None), "this is the log that was settled"),
        (replace(GROWN, first_newer=5500), "this is the log that was settled"),
        (replace(GROWN, is_known_topic=True), "the record at 0 only claims to be newer"),
        (replace(GROWN, first_newer=90, gaps=[Gap(90, 99)]), "was given up on"),
        (replace(RECREATED, to=121), "expected an offset in the log, from 0 to 120, got 121"),
        (replace(RECREATED, bounds=LogBounds(10, 120)), "expected an offset in the log, from 10 to 120, got 0"),
        (replace(GROWN, to=5000), "would not go back"),
        (replace(GROWN, first_newer=None, to=5000), "would not go back: the ledger's offset is 5000"),
        (replace(GROWN, first_newer=None, to=6001), "expected an offset in the log, from 0 to 6000, got 6001"),
        (replace(GROWN, is_known_topic=True, to=6001), "expected an offset in the log, from 0 to 6000, got 6001"),
        (replace(GROWN, first_newer=90, gaps=[Gap(90, 99)], to=5000), "would not go back"),
        (replace(RESTORED, to=4001), "would lose records: those from 4000 on"),
        (replace(RESTORED, to=3999), "records before 4000 are no newer than what was settled, and may have been"),
        (replace(RECREATED, has_members=True), "the group has members"),
        (replace(RECREATED, position=Position(5000, 1, date(2026, 11, 23), 0)), "settled in part"),
        (replace(RECREATED, unfinished=True), "settled in part"),
        (replace(RECREATED, objects=OBJECTS), "2 lake objects of the old log .* that of 2026-11-23 at offset 5"),
        (replace(RECREATED, letters=1), "1 dead letter of the old log at 0 or after"),
    ],
)
def test_a_rewind_that_would_lose_or_duplicate_records_is_refused(snapshot: PartitionSnapshot, why: str) -> None:
    reason = refusal(snapshot, all_new=False)
    assert reason is not None
    with pytest.raises(Refused, match=why):
        raise Refused(reason)


def test_an_operator_may_vouch_for_late_records_and_for_nothing_else() -> None:
    assert refusal(replace(RESTORED, to=3999), all_new=True) is None
    assert refusal(replace(RESTORED, to=4001), all_new=True) is not None
    assert refusal(replace(GROWN, is_known_topic=True), all_new=True) is None
    assert refusal(replace(RESTORED, is_known_topic=True), all_new=False) is None, "it ends before the ledger"
    assert refusal(replace(RESTORED, to=3999, letters=1), all_new=True) is not None


@dataclass(slots=True)
class BusyKafka(MemoryKafka):
    """Calls `before_commit` before each commit."""

    before_commit: Callable[[], object] = lambda: None

    def commit(self, topic: str, partition: int, offset: int) -> None:
        self.before_commit()
        MemoryKafka.commit(self, topic, partition, offset)


@pytest.fixture
def recreated(world: World) -> World:
    """A stage whose topic was recreated, and holds 120 new records."""
    world.settle(3, 5000, NEWEST)
    world.kafka.commits[TOPIC, 3] = 5000
    world.kafka.logs[TOPIC][3].records += [MemoryRecord(NEWEST + 1, None, b"{}", ())] * 120
    return world


def rewind(world: World, **request: Any) -> list[str]:
    output = Output()
    run(world.context, RewindRequest(3, 0, **request), output)
    return output.lines


def test_a_record_from_the_future_makes_no_log_another_one(world: World) -> None:
    world.settle(3, 50, NEWEST)
    world.ledger.positions[SOURCE] = replace(world.ledger.positions[SOURCE], topic_id=world.kafka.ids[TOPIC])
    world.kafka.logs[TOPIC][3].records += [MemoryRecord(NEWEST + 10**12, None, b"{}", ())] * 120
    with pytest.raises(Refused, match="the topic has the ID that the ledger knows"):
        rewind(world)
    world.kafka.ids[TOPIC] = "another"
    assert rewind(world)[-1].startswith("to move it: ")


def test_without_execute_it_shows_the_state_and_the_command_that_moves_it(recreated: World) -> None:
    assert rewind(recreated, all_new=True) == [
        "ledger  next 5000; newest settled record of 2026-11-23 13:26:50Z; not stopped",
        "log     holds [0, 120); records newer than that: from 0 on",
        "group   has committed 5000; has no members",
        *MEANING.format(to=0).splitlines(),
        "to move it: tandem rewind 3 --to 0 --from 5000 --all-new --execute",
    ]
    assert recreated.kafka.commits == {(TOPIC, 3): 5000}


def test_with_execute_the_ledger_and_the_commit_are_moved(recreated: World) -> None:
    lines = rewind(recreated, expected=5000, execute=True)
    assert lines[-1] == "moved the ledger from 5000 to 0, and the group's commit with it"
    assert recreated.ledger.read(SOURCE) == Position(0, 0, None, NEWEST, fence=1)
    assert recreated.kafka.commits == {(TOPIC, 3): 0}


def test_a_rewind_ends_the_stop_and_forgets_what_is_of_the_old_log(recreated: World) -> None:
    stop = recreated.stop(3, StopReason.OFFSETS_WENT_BACK, newest=NEWEST + 5)
    old = replace(
        recreated.ledger.positions[SOURCE], accepted=4000, window=((1000, 400),), topic_id="old", stop=stop,
        suspect=Suspect(6000, 40),
    )  # fmt: skip
    recreated.ledger.positions[SOURCE] = old
    recreated.ledger.gaps[SOURCE] = [Gap(4000, 4009), Gap(10, 19)]
    shown = rewind(recreated, expected=5000, execute=True)
    assert shown[0].endswith("stopped: offsets-went-back; a rewind ends the stop")
    assert recreated.ledger.read(SOURCE) == Position(0, 0, None, NEWEST, fence=1)
    assert recreated.ledger.gaps[SOURCE] == []


def test_a_writer_that_opened_before_a_rewind_cannot_advance_after_it(recreated: World) -> None:
    opened = recreated.open(3)
    rewind(recreated, expected=5000, execute=True)
    for offset in (4999, 5000):
        current = recreated.open(3, owner="another")
        assert recreated.ledger.advance(SOURCE, current, replace(current, next=offset), (), None)
    assert not recreated.ledger.advance(SOURCE, opened, replace(opened, next=6000), (), None)


def test_a_stop_that_came_after_the_snapshot_was_not_shown(recreated: World) -> None:
    stop: Callable[[], object] = lambda: recreated.stop(3, StopReason.FLOOD)  # noqa: E731
    busy = BusyKafka(recreated.kafka.logs, before_commit=stop)
    recreated.context = replace(recreated.context, brokers=busy)
    with pytest.raises(Refused, match="not at 5000 as shown any more"):
        rewind(recreated, expected=5000, execute=True)


def test_a_ledger_that_is_not_at_the_expected_offset_is_not_moved(recreated: World) -> None:
    with pytest.raises(Refused, match="the ledger's offset is 5000, not 4999 as in --from"):
        rewind(recreated, expected=4999, execute=True)
    busy = BusyKafka(recreated.kafka.logs, before_commit=lambda: recreated.settle(3, 5001))
    recreated.context = replace(recreated.context, brokers=busy)
    with pytest.raises(Refused, match="the ledger is not at 5000 as shown any more"):
        rewind(recreated, expected=5000, execute=True)
    position = recreated.ledger.read(SOURCE)
    assert position is not None
    assert position.next == 5001


def test_a_group_with_members_is_not_rewound(recreated: World) -> None:
    recreated.kafka.group_members = [GroupMember("worker", "10.0.0.7", (0,))]
    with pytest.raises(Refused, match="the group has members"):
        rewind(recreated, expected=5000, execute=True)
    assert recreated.kafka.commits == {(TOPIC, 3): 5000}


@pytest.mark.parametrize("offset", [0, 1, 4999, 5000])
def test_objects_of_today_could_be_adopted(recreated: World, offset: int) -> None:
    recreated.store_object(3, NOW.date(), offset)
    with pytest.raises(Refused, match="1 lake object of the old log could be adopted"):
        rewind(recreated)


def test_objects_of_other_days_or_partitions_could_not(recreated: World) -> None:
    recreated.store_object(3, date(2026, 1, 1), 0)
    recreated.store_object(33, NOW.date(), 0)
    assert rewind(recreated)[-1].startswith("to move it")


def test_an_object_at_the_ledgers_offset_is_a_slice_that_was_never_finished(recreated: World) -> None:
    recreated.ledger.open(SOURCE, 5000, 5000, Opening(date(2026, 1, 1), has_object=True, owner="writer"))
    assert rewind(recreated)[-1].startswith("to move it")
    recreated.store_object(3, date(2026, 1, 1), 5000)
    with pytest.raises(Refused, match="settled in part"):
        rewind(recreated)


def test_dead_letters_at_keys_of_new_ones_prevent_a_rewind(recreated: World) -> None:
    recreated.letters.store([letter(7), letter(8, partition=33)])
    with pytest.raises(Refused, match="1 dead letter of the old log at 0 or after"):
        rewind(recreated)


def test_opening_days_are_those_of_any_clock_that_is_within_an_hour() -> None:
    assert opening_days(NOW) == [date(2026, 11, 23)]
    assert opening_days(NOW.replace(hour=0)) == [date(2026, 11, 22), date(2026, 11, 23)]
    assert opening_days(NOW.replace(hour=23, minute=30)) == [date(2026, 11, 23), date(2026, 11, 24)]


def test_a_partition_without_ledger_or_log_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="the ledger knows no partition 3 of user-login"):
        rewind(world)
    world.settle(9, 1)
    with pytest.raises(Refused, match="topic user-login has no partition 9"):
        run(world.context, RewindRequest(9, 0), Output())
