"""The histogram of dead letters: what letters are counted together, and what is shown of them."""

import json
from datetime import timedelta

import pytest

from functions.core.dead_letter import Reason
from functions.core.record_place import RecordPlace
from functions.operate.dead_letters.selection import Selection
from functions.operate.redrive.claims import Claims
from functions.operate.summary import run
from functions.operate.summary.causes import causes_of
from functions.operate.summary.run import LetterSummary, summarize
from functions.operate.summary.text import summary_json, summary_text
from functions.operate.terminal import Terminal
from tests.unit.operate.test_value_map import DamagedArchive
from tests.unit.operate.world import TOPIC, Output, World, letter


@pytest.mark.parametrize(
    ("reason", "detail", "causes"),
    [
        (Reason.INVALID, "ip: value is not a valid IPv4", {"ip"}),
        (Reason.INVALID, "ip: no; items.3.price: Input; or not; and 2 more", {"ip", "items.*.price"}),
        (Reason.INVALID, "record: expected an object", {"record"}),
        (Reason.INVALID, "(its text cannot be read: KeyError)", {"(its text cannot be read"}),
        (Reason.INVALID, "no field at all", {"no field at all"}),
        (Reason.FAILED, "KeyError: 'device-17'", {"KeyError: '...'"}),
        (Reason.REJECTED, 'user u17 of 2026-11-23 has 1,000.5 "lives"\n', {"user # of # has #,# '...'"}),
        (
            Reason.UNDECODABLE,
            "record: Invalid JSON: EOF at line 1 column 5",
            {"record: Invalid JSON: EOF at line # column #"},
        ),
        (Reason.FAILED, "x" * 61, {"x" * 57 + "..."}),
        (Reason.REJECTED, " ", {"no detail"}),
    ],
)
def test_what_is_particular_to_a_record_is_no_cause(reason: Reason, detail: str, causes: set[str]) -> None:
    assert causes_of(letter(1, reason=reason, detail=detail)) == causes


@pytest.fixture
def stocked(world: World) -> World:
    world.letters.store([letter(n, reason=Reason.INVALID, detail=f"ip: not {n}; locale: \x1b[2J") for n in range(4)])
    world.clock.advance(timedelta(minutes=1))
    world.letters.store([letter(4, reason=Reason.INVALID, detail="ip: not 4"), letter(5), letter(6)])
    assert Claims(world.claims, "me").discard(RecordPlace(TOPIC, 3, 6), None, world.clock())
    return world


def summarized(world: World, selection: Selection | None = None) -> LetterSummary:
    return summarize(world.context, selection or Selection(), Terminal(print))


def test_open_letters_are_counted_by_reason_and_cause(stocked: World) -> None:
    assert summary_text(summarized(stocked), 20).splitlines() == [
        "letters                        reason    cause                    newest          detail",
        "      5  ####################  invalid   ip                       user-login/3/4  ip: not 4",
        "      4  ################      invalid   locale                   user-login/3/3  ip: not 3; locale: \\x1b[2J",
        "      1  ####                  rejected  ip: expected an address  user-login/3/5  ip: expected an address",
        "6 open dead letters in 3 groups",
    ]


def test_programs_get_the_examples(stocked: World) -> None:
    answer = json.loads(summary_json(summarized(stocked), 1))
    (group,) = answer.pop("largest")
    assert answer == {"letters": 6, "unreadable": 0, "groups": 3}
    assert [example["place"] for example in group["examples"]] == [f"user-login/3/{n}" for n in (4, 3, 2)]
    assert (group["oldest"], group["newest"]) == ("2026-11-23 12:00:00Z", "2026-11-23 12:01:00Z")
    assert group["examples"][0]["detail"] == "ip: not 4"


def test_a_summary_is_of_a_selection_and_shows_its_largest_groups(stocked: World) -> None:
    assert summary_text(summarized(stocked, Selection(text="nothing")), 20) == "no open dead letters"
    last = summary_text(summarized(stocked, Selection(Reason.INVALID)), 1).splitlines()[-1]
    assert last == "5 open dead letters in 2 groups, of which the largest 1 are shown"


def test_a_letter_that_cannot_be_read_is_reported(stocked: World) -> None:
    object.__setattr__(stocked.context, "letters", DamagedArchive("logins", stocked.letters.bucket))
    output = Output()
    summary = summarize(stocked.context, Selection(), Terminal(output))
    assert (summary.letters, summary.unreadable) == (5, 1)
    assert output.lines == ["left out, because it cannot be read: damaged"]


def test_too_many_causes_are_counted_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MAX_GROUPS", 2)
    world.letters.store([letter(n, detail="ab"[n % 2] * (n + 1)) for n in range(5)])
    groups = summarized(world).groups()
    assert [(group.cause, group.letters) for group in groups] == [("other causes", 3), ("a", 1), ("bb", 1)]
