"""Exporting dead letters as JSON lines."""

import json
from pathlib import Path

import pytest

from functions.core.record_place import RecordPlace
from functions.operate.dead_letters.selection import Selection
from functions.operate.export.run import run
from functions.operate.input_lines import read_records
from functions.operate.redrive.claims import Claims
from functions.operate.terminal import Terminal
from tests.unit.operate.test_terminal import ctrl_c
from tests.unit.operate.test_value_map import DamagedArchive
from tests.unit.operate.world import TOPIC, Output, World, letter


@pytest.fixture
def stocked(world: World) -> World:
    world.letters.store([letter(1), letter(2, key=b"\xff", value=None), letter(3, detail="\ud800\n")])
    assert Claims(world.claims, "me").discard(RecordPlace(TOPIC, 3, 1), None, world.clock())
    return world


def exported(world: World, selection: Selection | None = None, *, closed: bool = False) -> list[str]:
    lines: list[str] = []
    assert run(world.context, selection or Selection(), lines.append, Terminal(print), closed=closed) == 0
    return lines


def test_a_line_is_a_whole_letter_with_its_state(stocked: World) -> None:
    lines = exported(stocked, closed=True)
    letters = [json.loads(line) for line in lines]
    assert [(each["offset"], each["state"]) for each in letters] == [(1, "discarded"), (2, "open"), (3, "open")]
    assert letters[0]["value"] == {"base64": "eyJhIjogMX0=", "text": '{"a": 1}'}
    assert (letters[1]["key"], letters[1]["value"]) == ({"base64": "/w=="}, None)
    assert letters[2]["detail"] == "\ud800\n"
    assert all("\n" not in line and line.isascii() for line in lines)


def test_closed_and_other_letters_are_left_out(stocked: World) -> None:
    assert [json.loads(line)["offset"] for line in exported(stocked)] == [2, 3]
    assert [json.loads(line)["offset"] for line in exported(stocked, Selection(text="user-1"))] == [3]


def test_lines_become_envelopes_for_a_trial(stocked: World, tmp_path: Path) -> None:
    letters = [json.loads(line) for line in exported(stocked)]
    envelopes = [
        {
            "key_base64": each["key"]["base64"],
            "value_base64": each["value"] and each["value"]["base64"],
            "timestamp": each["timestamp"],
        }
        for each in letters
    ]
    file = tmp_path / "envelopes.jsonl"
    file.write_text("".join(f"{json.dumps(each)}\n" for each in envelopes))
    records = list(read_records(file, envelope=True))
    assert [(record.key, record.value) for record in records] == [(b"\xff", None), (b"user-1", b'{"a": 1}')]


def test_a_letter_that_cannot_be_read_is_left_out_and_reported(stocked: World) -> None:
    object.__setattr__(stocked.context, "letters", DamagedArchive("logins", stocked.letters.bucket))
    output, lines = Output(), list[str]()
    assert run(stocked.context, Selection(), lines.append, Terminal(output)) == 1
    assert output.lines == ["left out, because it cannot be read: damaged", "exported 1 letter"]


def test_an_interrupted_export_says_that_it_is_not_all(world: World) -> None:
    world.letters.store([letter(offset) for offset in range(150)])
    lines: list[str] = []
    with pytest.raises(KeyboardInterrupt, match="interrupted: exported 100 letters, not all of them"):
        run(world.context, Selection(), lines.append, Terminal(print, deferring=ctrl_c))
    assert len(lines) == 100
