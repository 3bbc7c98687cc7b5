"""Redriving, from the operator's request to the records in the topic, with crashes at every point in between."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from typing import Any

import pytest

from functions.adapters.memory_operators import MemoryClaimStore
from functions.core.dead_letter import Reason
from functions.core.errors import Refused, Unavailable
from functions.core.operator_ports import OutgoingRecord, SendResult
from functions.core.plan import ROW_AS_VALUE
from functions.core.record_place import RecordPlace
from functions.core.redrive import ClaimState, RedriveClaim
from functions.operate.context import OperatorContext
from functions.operate.dead_letters.selection import Selection
from functions.operate.redrive.execute import MAX_OWN_CLAIM_AGE
from functions.operate.redrive.plan import STALE_CLAIM_AFTER
from functions.operate.redrive.run import RedriveRequest, run
from functions.operate.terminal import Terminal
from tests.unit.operate.mortal import DiedError, Life, mortal
from tests.unit.operate.world import TOPIC, Clock, Output, World, letter

PLACE, SINCE = RecordPlace(TOPIC, 3, 1), RecordPlace(TOPIC, 3, 0)


def redrive(context: OperatorContext, **request: Any) -> list[str]:
    """Run a redrive; options that are a selection's are put there."""
    output = Output()
    of_selection = {each.name for each in fields(Selection)} & request.keys()
    selection = Selection(**{name: request.pop(name) for name in of_selection})
    run(context, RedriveRequest(selection, **request), Terminal(output))
    return output.lines


@pytest.fixture
def stocked(world: World) -> World:
    world.settle(3, 10)
    world.letters.store([letter(1), letter(2, reason=Reason.FAILED), letter(12)])
    return world


class DeadError(Exception):
    """The process, at this point."""


@dataclass
class DyingSender:
    """A process that dies before it sends."""

    def send(self, *_: Any, **__: Any) -> SendResult:
        raise DeadError


@dataclass(slots=True)
class DyingClaimStore(MemoryClaimStore):
    """A process that dies before it marks a record as sent."""

    def put(self, claim: RedriveClaim, expected: RedriveClaim | None) -> bool:
        if claim.state is ClaimState.SENT:
            raise DeadError
        return MemoryClaimStore.put(self, claim, expected)


@dataclass(slots=True)
class LateClaimStore(MemoryClaimStore):
    """Shows no claim: another redrive takes its claims after this one has looked."""

    def all(self) -> dict[RecordPlace, RedriveClaim]:
        return {}


@dataclass
class SilentSender:
    """Brokers that acknowledge offset 2 and do not answer for the others."""

    def send(self, topic: str, records: Sequence[OutgoingRecord]) -> SendResult:
        assert topic == TOPIC
        silent = {record.place: "timed out" for record in records if record.place.offset != 2}
        return SendResult([RecordPlace(TOPIC, 3, 2)], {}, silent)


@dataclass
class SuspendedClock(Clock):
    """The process is suspended after its third look at the time."""

    looks: list[int] = field(default_factory=list)

    def __call__(self) -> Any:
        self.looks.append(1)
        if len(self.looks) == 4:
            self.advance(2 * MAX_OWN_CLAIM_AGE)
        return self.now


def test_without_execute_nothing_is_sent(stocked: World) -> None:
    assert redrive(stocked.context) == [
        "would send 2 records to user-login; add --execute to send them",
        "  1 not settled yet, so they will be read again: left out",
    ]
    assert stocked.sent() == []
    assert stocked.claims.all() == {}


def test_with_execute_each_is_sent_as_it_was_to_where_it_was(stocked: World) -> None:
    lines = redrive(stocked.context, execute=True)
    assert lines[0::2] == ["sending 2 records to user-login", "sent 2 records to user-login"]
    assert stocked.sent() == [
        (3, b"user-1", b'{"a": 1}', [
            ("trace", b"1"), ("trace", None), ("tandem-redriven-from", b"user-login/3/%d" % offset),
            ("tandem-redrives", b"1"),
        ])
        for offset in (1, 2)
    ]  # fmt: skip


def test_a_second_redrive_sends_only_what_is_asked_for_again(stocked: World) -> None:
    redrive(stocked.context, execute=True)
    assert redrive(stocked.context, execute=True)[:2] == [
        "sending 0 records to user-login",
        "  2 redriven before: left out, add --include-redriven to send them again",
    ]
    again = redrive(stocked.context, places=[PLACE], include_redriven=True, execute=True)
    assert again[-1] == "sent 1 record to user-login"
    assert [headers[-1] for *_, headers in stocked.sent()] == [("tandem-redrives", n) for n in (b"1", b"1", b"2")]


def test_letters_are_selected_by_reason_or_by_place(stocked: World) -> None:
    assert redrive(stocked.context, reason=Reason.FAILED)[0].startswith("would send 1 record ")
    assert redrive(stocked.context, places=[PLACE])[0].startswith("would send 1 record ")
    with pytest.raises(Refused, match="nothing to redrive at user-login/3/7"):
        redrive(stocked.context, places=[PLACE, RecordPlace(TOPIC, 3, 7)])


def test_a_record_with_two_letters_is_sent_once(stocked: World) -> None:
    stocked.letters.store([letter(1, reason=Reason.INVALID)])
    assert redrive(stocked.context)[0].startswith("would send 2 records ")


def test_what_one_sink_refused_is_sent_only_when_asked_for(stocked: World) -> None:
    stocked.letters.store([letter(5, reason=Reason.REFUSED, detail="table 'x': too large")])
    left_out = (
        "  1 refused by one sink, settled in the others: left out, --reason refused sends them, which repeats "
        "their other effects"
    )
    lines = redrive(stocked.context)
    assert (lines[0].split(";")[0], lines[2]) == ("would send 2 records to user-login", left_out)
    assert redrive(stocked.context, reason=Reason.REFUSED, execute=True)[-1] == "sent 1 record to user-login"
    assert redrive(stocked.context, places=[RecordPlace(TOPIC, 3, 5)])[0].startswith("would send 0 records")


def test_a_refused_row_whose_record_was_not_at_hand_is_never_sent_as_a_record(stocked: World) -> None:
    stocked.letters.store([letter(5, reason=Reason.REFUSED, detail=f"table 'x': too large; {ROW_AS_VALUE}")])
    assert redrive(stocked.context, reason=Reason.REFUSED) == [
        "would send 0 records to user-login", "  1 hold a row, as their record was not at hand: left out",
    ]  # fmt: skip
    stocked.letters.store([letter(5, reason=Reason.FAILED)])
    assert redrive(stocked.context, places=[RecordPlace(TOPIC, 3, 5)])[0].startswith("would send 1 record ")


def test_a_lethal_record_is_redriven_like_any_other(stocked: World) -> None:
    stocked.letters.store([letter(6, reason=Reason.LETHAL)])
    assert redrive(stocked.context, reason=Reason.LETHAL, execute=True)[-1] == "sent 1 record to user-login"


def test_a_record_from_another_topic_goes_to_the_one_that_is_read_now(world: World) -> None:
    world.letters.store([letter(1, topic="user-login-old", partition=7)])
    assert redrive(world.context)[1:] == ["  1 not settled yet, so they will be read again: left out"]
    world.settle(7, 5, topic="user-login-old")
    redrive(world.context, execute=True)
    assert [partition for partition, *_ in world.sent()] == [3]


def test_after_a_crash_before_sending_the_next_redrive_sends(stocked: World) -> None:
    with pytest.raises(DeadError):
        redrive(replace(stocked.context, sender=DyingSender()), execute=True)
    assert redrive(stocked.context, execute=True)[1] == "  2 being sent by another redrive now: left out"
    stocked.clock.advance(STALE_CLAIM_AFTER)
    assert redrive(stocked.context)[:2] == [
        "would send 0 records to user-login",
        "  2 of a redrive that did not finish: --execute sends those that are not in the topic",
    ]
    assert redrive(stocked.context, execute=True)[-1] == "sent 2 records to user-login"
    assert len(stocked.sent()) == 2


def test_after_a_crash_after_sending_the_next_redrive_sends_nothing(stocked: World) -> None:
    with pytest.raises(DeadError):
        redrive(replace(stocked.context, claims=DyingClaimStore(stocked.claims.claims)), execute=True)
    stocked.clock.advance(STALE_CLAIM_AFTER)
    assert redrive(stocked.context, execute=True)[-2:] == [
        "sent 0 records to user-login", "  2 had been sent by the redrive that did not finish",
    ]  # fmt: skip
    assert len(stocked.sent()) == 2
    assert {claim.state for claim in stocked.claims.all().values()} == {ClaimState.SENT}


def test_where_the_log_does_not_reach_back_nothing_is_sent(stocked: World) -> None:
    stocked.claim_by_another(PLACE, since=RecordPlace(TOPIC, 3, 0))
    stocked.clock.advance(STALE_CLAIM_AFTER)
    stocked.kafka.logs[TOPIC][3].low = 1
    assert redrive(stocked.context, places=[PLACE], execute=True)[-1] == (
        "  1 may have been sent, and the log has expired since, such as user-login/3/1: "
        "add --include-redriven to send them"
    )
    assert stocked.sent() == []
    again = redrive(stocked.context, places=[PLACE], include_redriven=True, execute=True)
    assert again[-1] == "sent 1 record to user-login"


def test_what_another_redrive_claims_first_is_left_to_it(stocked: World) -> None:
    stocked.claim_by_another(PLACE, SINCE)
    stocked.settle(0, 10)
    stocked.letters.store([letter(5, partition=0)])
    late = replace(stocked.context, claims=LateClaimStore(stocked.claims.claims))
    assert redrive(late, execute=True)[-3:] == [
        "sent 1 record to user-login", "  1 were taken by another redrive after this one looked",
        "  1 after those in their partitions were left out, so that keys stay in order",
    ]  # fmt: skip
    assert [partition for partition, *_ in stocked.sent()] == [0]
    assert set(stocked.claims.all()) == {PLACE, RecordPlace(TOPIC, 0, 5)}, "the claims after it are released"


def test_what_comes_after_a_record_of_another_redrive_waits_in_later_chunks_too(stocked: World) -> None:
    stocked.settle(3, 1000)
    stocked.letters.store([letter(offset) for offset in range(20, 320)])
    stocked.claim_by_another(RecordPlace(TOPIC, 3, 25), SINCE)
    late = replace(stocked.context, claims=LateClaimStore(stocked.claims.claims))
    lines = redrive(late, execute=True)
    assert lines[-2:] == [
        "  1 were taken by another redrive after this one looked",
        "  294 after those in their partitions were left out, so that keys stay in order",
    ]
    assert len(stocked.sent()) == 8
    stocked.clock.advance(STALE_CLAIM_AFTER)
    redrive(stocked.context, execute=True)
    offsets = [int(headers[2][1].rpartition(b"/")[2]) for *_, headers in stocked.sent()]
    assert offsets == [1, 2, 12, *range(20, 320)]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(1, 17))
def test_a_death_at_any_call_loses_and_repeats_nothing_and_keys_stay_in_order(
    world: World,
    call: int,
    after: bool,  # noqa: FBT001
) -> None:
    world.settle(3, 10)
    world.letters.store([letter(offset, value=b"%d" % offset) for offset in range(4)])
    with suppress(DiedError):
        redrive(mortal(world.context, Life(call, after)), execute=True)
    redrive(world.context, execute=True)  # at once, while claims of the dead one look like those of another
    for _ in range(2):
        world.clock.advance(STALE_CLAIM_AFTER)
        redrive(world.context, execute=True)
    assert [value for _, _, value, _ in world.sent()] == [b"0", b"1", b"2", b"3"]
    assert {claim.state for claim in world.claims.all().values()} == {ClaimState.SENT}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(1, 17))
def test_a_death_while_what_another_one_left_is_sent_repeats_nothing(
    world: World,
    call: int,
    after: bool,  # noqa: FBT001
) -> None:
    world.settle(3, 10)
    world.letters.store([letter(offset, value=b"%d" % offset) for offset in range(4)])
    with pytest.raises(DeadError):
        redrive(replace(world.context, claims=DyingClaimStore(world.claims.claims)), places=[PLACE], execute=True)
    world.claim_by_another(RecordPlace(TOPIC, 3, 0), SINCE)
    world.clock.advance(STALE_CLAIM_AFTER)
    with suppress(DiedError):
        redrive(mortal(world.context, Life(call, after)), execute=True)
    for _ in range(2):
        world.clock.advance(STALE_CLAIM_AFTER)
        redrive(world.context, execute=True)
    assert [value for _, _, value, _ in world.sent()] == [b"1", b"0", b"2", b"3"]


class ClosedPipeError(Exception):
    """Nobody reads the output any more."""


def test_an_output_that_nobody_reads_leaves_no_claim_behind(stocked: World) -> None:
    def say(text: str) -> None:
        if text.startswith("skipped"):
            raise ClosedPipeError

    request = RedriveRequest(execute=True, value_map=lambda _: None)
    with pytest.raises(ClosedPipeError):
        run(stocked.context, request, Terminal(say))
    assert stocked.claims.all() == {}


def test_a_missing_answer_is_reported_and_searched_for(stocked: World) -> None:
    with pytest.raises(Unavailable, match=r"1 records were sent, 1 may have been, such as user-login/3/1: timed out"):
        redrive(replace(stocked.context, sender=SilentSender()), execute=True)
    stocked.clock.advance(STALE_CLAIM_AFTER)
    assert redrive(stocked.context, execute=True)[-1] == "sent 1 record to user-login"


def test_what_the_brokers_refuse_can_be_tried_again(stocked: World) -> None:
    stocked.letters.store([letter(3, value=b"x" * 9_000_000)])
    with pytest.raises(Refused, match=r"refused 1 records, such as user-login/3/3: .*Message size too large"):
        redrive(stocked.context, execute=True)
    assert RecordPlace(TOPIC, 3, 3) not in stocked.claims.all()
    assert len(stocked.sent()) == 2


def test_a_process_that_was_suspended_sends_nothing(stocked: World) -> None:
    with pytest.raises(Unavailable, match="suspended"):
        redrive(replace(stocked.context, now=SuspendedClock()), execute=True)
    assert stocked.sent() == []


def test_a_value_of_none_and_a_key_of_none_stay_none(world: World) -> None:
    world.settle(3, 10)
    world.letters.store([letter(1, key=None, value=None, headers=[])])
    redrive(world.context, execute=True)
    assert world.sent()[0][:3] == (3, None, None)
