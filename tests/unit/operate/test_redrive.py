"""Redriving, from the command's choice to the records in the topic, with crashes at every point in between."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from functions.core.dead_letter import Reason
from functions.core.errors import Refused, Unavailable
from functions.operate import desk as desk_module
from functions.operate import lookup, redrive, resend
from functions.operate.desk import Desk
from functions.operate.marks import Mark, Marks, State
from functions.operate.place import Place
from functions.operate.plan import DEAD, plan
from functions.operate.resend import Choice
from functions.operate.sender import Outcome, Sender
from tests.unit.operate.world import NOW, TOPIC, letter, records, settle, store

PLACE, SINCE = Place(TOPIC, 3, 1), Place(TOPIC, 3, 0)


@dataclass
class Said:
    lines: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> None:
        self.lines += text.splitlines()


def redriven(desk: Desk, **choice: Any) -> list[str]:
    said = Said()
    resend.resend(desk, Choice(**choice), said)
    return said.lines


@pytest.fixture
def stocked(desk: Desk) -> Desk:
    settle(desk, 3, 10)
    store(desk, letter(1), letter(2, reason=Reason.FAILED), letter(12))
    return desk


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The time when another redrive's claims are those of a dead one."""
    return lambda: monkeypatch.setattr(resend, "now", lambda: desk_module.now() + DEAD)


def test_without_go_nothing_is_sent(stocked: Desk) -> None:
    assert redriven(stocked) == [
        "would send 2 records to user-login; --go sends them",
        "  1 not settled yet, so they come again by themselves: left out",
    ]
    assert records(stocked) == []
    assert stocked.marks.all() == {}


def test_with_go_each_is_sent_as_it_was_to_where_it_was(stocked: Desk) -> None:
    assert redriven(stocked, go=True)[0::2] == ["sending 2 records to user-login", "sent 2 records to user-login"]
    assert records(stocked) == [
        (3, b"user-1", b'{"a": 1}', [
            ("trace", b"1"), ("trace", None), ("tandem-redriven-from", b"user-login/3/%d" % offset),
            ("tandem-redrives", b"1"),
        ])
        for offset in (1, 2)
    ]  # fmt: skip


def test_a_second_time_only_what_is_asked_for_again(stocked: Desk) -> None:
    redriven(stocked, go=True)
    assert redriven(stocked, go=True)[:2] == [
        "sending 0 records to user-login", "  2 redriven before: left out, --again sends them once more",
    ]  # fmt: skip
    assert redriven(stocked, places=[PLACE], again=True, go=True)[-1] == "sent 1 record to user-login"
    assert [headers[-1] for *_, headers in records(stocked)] == [("tandem-redrives", n) for n in (b"1", b"1", b"2")]


def test_a_record_that_failed_again_counts_on(desk: Desk) -> None:
    settle(desk, 3, 10)
    store(desk, letter(5, headers=[("tandem-redriven-from", b"user-login/3/1"), ("tandem-redrives", b"3")]))
    redriven(desk, go=True)
    assert records(desk)[0][3] == [("tandem-redriven-from", b"user-login/3/5"), ("tandem-redrives", b"4")]


def test_letters_are_chosen_by_reason_or_by_place(stocked: Desk) -> None:
    assert redriven(stocked, reason=Reason.FAILED)[0].startswith("would send 1 record ")
    assert redriven(stocked, places=[PLACE])[0].startswith("would send 1 record ")
    with pytest.raises(Refused, match="nothing to redrive at user-login/3/7"):
        redriven(stocked, places=[PLACE, Place(TOPIC, 3, 7)])


def test_a_record_with_two_letters_is_sent_once(stocked: Desk) -> None:
    store(stocked, letter(1, reason=Reason.INVALID))
    assert redriven(stocked)[0].startswith("would send 2 records ")


def test_a_record_from_another_topic_goes_to_the_one_that_is_read_now(desk: Desk) -> None:
    store(desk, letter(1, topic="user-login-old", partition=7))
    assert redriven(desk)[1:] == ["  1 not settled yet, so they come again by themselves: left out"]
    source = desk.pipeline.name
    desk.ledger.dynamodb.put_item(
        TableName=desk.ledger.table,
        Item={"pipeline": {"S": source}, "partition": {"S": "user-login-old#7"}, "next": {"N": "5"},
              "step": {"N": "0"}, "newest": {"N": "1"}},
    )  # fmt: skip
    redriven(desk, go=True)
    assert [partition for partition, *_ in records(desk)] == [3]


class DeadError(Exception):
    """The process, at this point."""


def test_died_before_sending_it_is_sent_by_the_next(
    stocked: Desk, later: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Sender, "send", _dies)
        with pytest.raises(DeadError):
            redriven(stocked, go=True)
    assert redriven(stocked, go=True)[1] == "  2 being sent by another redrive at this moment: left out"
    later()
    assert redriven(stocked)[:2] == [
        "would send 0 records to user-login",
        "  2 left by a redrive that did not finish: --go sends those that are not in the topic",
    ]
    assert redriven(stocked, go=True)[-1] == "sent 2 records to user-login"
    assert len(records(stocked)) == 2


def test_died_after_sending_it_is_not_sent_again(
    stocked: Desk, later: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Marks, "sent", _dies)
        with pytest.raises(DeadError):
            redriven(stocked, go=True)
    later()
    assert redriven(stocked, go=True)[-2:] == [
        "sent 0 records to user-login", "  2 had been sent by the redrive that did not finish",
    ]  # fmt: skip
    assert len(records(stocked)) == 2
    assert {mark.state for mark in stocked.marks.all().values()} == {State.SENT}


def test_where_the_topic_does_not_reach_back_it_is_not_sent(
    stocked: Desk, later: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stocked.marks.claim(PLACE, None, "dead", Place(TOPIC, 3, 0))
    later()
    monkeypatch.setattr(redrive.Redrive, "_low", lambda *_: 1)
    assert redriven(stocked, places=[PLACE], go=True)[-1] == (
        "  1 may have been sent, the topic does not reach back: user-login/3/1; --again sends them"
    )
    assert records(stocked) == []
    assert redriven(stocked, places=[PLACE], again=True, go=True)[-1] == "sent 1 record to user-login"


def test_what_another_redrive_takes_first_is_left_to_it(stocked: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Marks, "all", lambda _: {})  # as it was a moment ago
    assert stocked.marks.claim(PLACE, None, "faster", SINCE)
    assert redriven(stocked, go=True)[-2:] == [
        "sent 1 record to user-login", "  1 were taken by another redrive meanwhile",
    ]  # fmt: skip


def test_an_answer_that_does_not_come_is_told_and_looked_for(
    stocked: Desk, later: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Sender, "send", lambda *_: Outcome([Place(TOPIC, 3, 2)], {}, {PLACE: "timed out"}))
        with pytest.raises(Unavailable, match=r"1 records are sent; 1 may be, such as user-login/3/1: timed out"):
            redriven(stocked, go=True)
    later()
    assert redriven(stocked, go=True)[-1] == "sent 1 record to user-login"


def test_what_the_brokers_refuse_can_be_tried_again(stocked: Desk) -> None:
    store(stocked, letter(3, value=b"x" * 9_000_000))
    with pytest.raises(Refused, match=r"refused 1 records, such as user-login/3/3: .*Message size too large"):
        redriven(stocked, go=True)
    assert Place(TOPIC, 3, 3) not in stocked.marks.all()
    assert len(records(stocked)) == 2


def test_a_process_that_slept_sends_nothing(stocked: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([desk_module.now(), desk_module.now()])
    awake = desk_module.now() + timedelta(minutes=2)
    monkeypatch.setattr(desk_module, "now", lambda: next(times, awake))
    with pytest.raises(Unavailable, match="asleep"):
        redriven(stocked, go=True)
    assert records(stocked) == []


def test_nothing_is_looked_for_when_the_brokers_say_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookup, "SILENCE", 0.1)
    with pytest.raises(Unavailable, match="while looking for what was sent before"):
        lookup.redriven({"bootstrap.servers": "127.0.0.1:1"}, "group", [SINCE])


def test_what_may_be_sent_is_decided_by_mark_and_ledger() -> None:
    old, young = NOW - DEAD, NOW - timedelta(seconds=1)
    at = [Place(TOPIC, 0, n) for n in range(6)]
    marks = {
        at[1]: Mark(at[1], State.SENT, 1, "o", old, SINCE),
        at[2]: Mark(at[2], State.SENDING, 1, "o", old, SINCE),
        at[3]: Mark(at[3], State.SENDING, 1, "o", young, SINCE),
    }
    made = plan([*reversed(at), at[0]], marks, lambda place: place.offset < 5, NOW)
    assert [place.offset for place, _ in made.send] == [0, 4]
    assert [mark.place.offset for mark in made.unfinished] == [2]
    assert (made.before, made.busy, made.unsettled) == (1, 1, 1)
    again = plan(at, marks, lambda place: place.offset < 5, NOW, again=True)
    assert [place.offset for place, _ in again.send] == [0, 1, 2, 4]
    assert again.busy == 1


def test_a_value_of_none_and_a_key_of_none_stay_so(desk: Desk) -> None:
    settle(desk, 3, 10)
    store(desk, letter(1, key=None, value=None, headers=[]))
    redriven(desk, go=True)
    assert records(desk)[0][:3] == (3, None, None)


def _dies(*_: object) -> None:
    raise DeadError
