import json
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from functions.adapters.memory_operators import MemoryDeadLetterArchive
from functions.core.dead_letter import DeadLetter, Reason
from functions.core.errors import Corrupt, Refused
from functions.core.operator_ports import LetterEntry
from functions.core.record_place import RecordPlace
from functions.operate.dead_letters.closing import LetterState
from functions.operate.dead_letters.listing import letters_of, list_letters
from functions.operate.dead_letters.selection import Selection, select
from functions.operate.dead_letters.text import letter_text, list_json, list_text
from functions.operate.redrive.claims import Claims
from tests.unit.operate.world import LETTER, TOPIC, Output, World, letter

TOMORROW = LETTER.timestamp + 86_400_000


@dataclass(slots=True)
class DamagedArchive(MemoryDeadLetterArchive):
    """The letter of offset 2 cannot be read."""

    def read(self, entry: LetterEntry) -> DeadLetter:
        if entry.place.offset == 2:
            raise Corrupt("damaged")
        return MemoryDeadLetterArchive.read(self, entry)


@pytest.fixture
def stocked(world: World) -> World:
    world.letters.store([letter(1), letter(2, timestamp=TOMORROW)])
    world.letters.store([letter(3, reason=Reason.FAILED, detail="Oops: 1\n2"), letter(1, pipeline="logins-more")])
    return world


def test_the_list_counts_and_shows_the_newest(stocked: World) -> None:
    claims = Claims(stocked.claims, "me")
    claim = claims.take(RecordPlace(TOPIC, 3, 1), None, RecordPlace(TOPIC, 3, 0), stocked.clock())
    assert claim
    assert claims.mark_sent(claim)
    counts, newest = list_letters(stocked.context, Selection(), 1, print)
    lines = list_text(counts, newest).splitlines()
    assert lines[:4] == [
        "reason    day         open  redriven  discarded",
        "rejected  2026-11-24     1         0          0",
        "failed    2026-11-23     1         0          0",
        "2 open dead letters; 1 redriven and 0 discarded are closed",
    ]
    assert lines[5].split() == ["stored", "place", "reason", "detail"]
    assert lines[6] == "2026-11-23 12:00:00Z  user-login/3/3  failed  Oops: 1 2"
    listed = json.loads(list_json(counts, newest))
    assert listed["counts"][1] == {
        "reason": "rejected", "day": "2026-11-23", "open": 0, "redriven": 1, "discarded": 0,
    }  # fmt: skip
    assert listed["newest"][0]["state"] == "open"
    assert listed["newest"][0]["value"] == {"base64": "eyJhIjogMX0=", "text": '{"a": 1}'}


def test_closed_letters_are_shown_only_if_they_are_asked_for(stocked: World) -> None:
    claims, place = Claims(stocked.claims, "me"), RecordPlace(TOPIC, 3, 1)
    assert claims.discard(place, None, stocked.clock())
    assert place not in [entry.place for entry, *_ in list_letters(stocked.context, Selection(), 9, print)[1]]
    counts, newest = list_letters(stocked.context, Selection(places=[place]), 9, print, closed=True)
    (listed,) = newest
    assert (listed.entry.place, listed.state) == (place, LetterState.DISCARDED)
    assert list_text(counts, newest).splitlines()[0] == "0 open dead letters; 0 redriven and 1 discarded are closed"
    assert letter_text(listed).splitlines()[3:5] == ["redriven   no", "discarded  2026-11-23 12:00:00Z"]


def test_a_letter_that_was_stored_long_after_a_claim_is_another_records(stocked: World) -> None:
    place = RecordPlace(TOPIC, 3, 1)
    assert Claims(stocked.claims, "me").discard(place, None, stocked.clock() - timedelta(hours=2))
    (listed,) = letters_of(stocked.context, place)
    assert listed.state is LetterState.OPEN
    assert "discarded" not in letter_text(listed)


def test_a_damaged_letter_is_reported_and_hides_no_other(stocked: World) -> None:
    damaged = replace(stocked.context, letters=DamagedArchive(stocked.letters.pipeline, stocked.letters.bucket))
    output = Output()
    counts, newest = list_letters(damaged, Selection(), 9, output)
    assert (counts.total(), [entry.place.offset for entry, *_ in newest]) == (3, [3, 1])
    assert output.lines == ["left out, because it cannot be read: damaged"]
    assert [entry.place.offset for entry in select(damaged, Selection(text="expected"), output)] == [1]
    assert output.lines[1:] == output.lines[:1]


def test_a_list_without_letters_is_one_line(world: World) -> None:
    assert list_text(*list_letters(world.context, Selection(), 20, print)) == "no dead letters"


def test_a_letter_is_shown_whole_and_cannot_control_a_terminal(world: World) -> None:
    value = b'{"a": "\x1b[2J\xc3\xa9"}'
    world.letters.store([letter(7, value=value, key=b"\xff", traceback="Traceback:\n  here")])
    (listed,) = letters_of(world.context, RecordPlace(TOPIC, 3, 7))
    assert letter_text(listed).splitlines() == [
        "record     user-login/3/7 of 2026-11-23 13:26:50Z",
        "rejected   rejected: ip: expected an address",
        f"stored     2026-11-23 12:00:00Z as {listed.entry.key}",
        "redriven   no", r"key        b'\xff'", "header     trace: 1", "header     trace: none",
        'value      {"a": "\\x1b[2Jé"}', "traceback  Traceback:", "             here",
    ]  # fmt: skip


def test_what_a_record_holds_cannot_look_like_another_line(world: World) -> None:
    fake = "x\nredriven  yes\r\nvalue  \u2028\u0085\t{}"
    world.letters.store([
        letter(7, value=fake.encode(), key=fake.encode(), detail=fake, headers=[(fake, fake.encode())]),
    ])  # fmt: skip
    (listed,) = letters_of(world.context, RecordPlace(TOPIC, 3, 7))
    lines = letter_text(listed).splitlines()
    assert [line.split()[0] for line in lines] == [
        "record", "rejected", "stored", "redriven", "key", "header", "value",
    ]  # fmt: skip
    assert lines[-1] == r"value     x\nredriven  yes\r\nvalue  \u2028\x85\t{}"


@pytest.mark.parametrize("reason", [Reason.LETHAL, Reason.REFUSED])
def test_letters_of_every_reason_are_listed_and_shown(world: World, reason: Reason) -> None:
    world.letters.store([letter(7, reason=reason, detail=f"why {reason.value}")])
    listed = list_text(*list_letters(world.context, Selection(reason), 20, print))
    assert f"{reason.value}  why {reason.value}" in listed
    (shown,) = letters_of(world.context, RecordPlace(TOPIC, 3, 7))
    assert f"rejected  {reason.value}: why {reason.value}\n" in letter_text(shown)


def test_a_letter_shows_how_its_redrive_went(stocked: World) -> None:
    place, claims = RecordPlace(TOPIC, 3, 1), Claims(stocked.claims, "me")

    def redriven() -> str:
        return letter_text(letters_of(stocked.context, place)[0]).splitlines()[3]

    claim = claims.take(place, None, RecordPlace(TOPIC, 3, 0), stocked.clock())
    assert redriven() == "redriven  started 2026-11-23 12:00:00Z, not finished"
    assert claim
    claims.mark_sent(claim)
    assert redriven() == "redriven  1 time, last 2026-11-23 12:00:00Z"


def test_a_record_without_a_letter_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="logins has no dead letter of user-login/3/8"):
        letters_of(world.context, RecordPlace(TOPIC, 3, 8))
