"""A redrive that fixes values on the way with a function of the operator's."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from functions.adapters.memory_operators import MemoryDeadLetterArchive
from functions.core.dead_letter import DeadLetter, Reason
from functions.core.errors import Corrupt, InvalidSetting, Refused
from functions.core.operator_ports import LetterEntry
from functions.core.record_place import RecordPlace
from functions.operate.redrive.run import RedriveRequest, run
from functions.operate.redrive.value_map import load
from functions.operate.terminal import Terminal
from tests.unit.operate.world import TOPIC, Output, World, letter

MAP = """
import sys
FACTOR = 2

def fix(value):
    if value == b"1": raise ValueError("device\\n\\x1b")
    if value == b"2": return None
    if value == b"3": sys.exit("bye")
    if value == b"4": return value
    return value + b"!" * FACTOR

def stop(value): raise KeyboardInterrupt
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "fix.py"
    file.write_text(MAP)
    return file


@pytest.fixture
def stocked(world: World) -> World:
    world.settle(3, 10)
    world.letters.store([letter(offset, value=b"%d" % offset) for offset in range(6)])
    world.letters.store([letter(6, value=None, reason=Reason.TOMBSTONE)])
    return world


SKIPS = [
    "user-login/3/1: the map raised ValueError: device \\x1b",
    "user-login/3/2: the map returned NoneType, expected bytes",
    "user-login/3/3: the map raised SystemExit: bye",
    "user-login/3/6: it has no value to map",
]


def test_a_dry_run_calls_the_map_and_sends_nothing(stocked: World, file: Path) -> None:
    output = Output()
    run(stocked.context, RedriveRequest(value_map=load(f"{file}:fix")), Terminal(output))
    assert output.lines == [
        "would send 7 records to user-login; add --execute to send them",
        *(f"would skip {skip}" for skip in SKIPS),
        "the map changes 2 of 7 records, leaves 1 as they are, skips 4",
    ]
    assert (stocked.sent(), stocked.claims.all()) == ([], {})


def test_mapped_values_are_sent_and_skipped_letters_stay_open(stocked: World, file: Path) -> None:
    output, request = Output(), RedriveRequest(value_map=load(f"{file}:fix"), execute=True)
    with pytest.raises(Refused, match="4 records were skipped: their letters are as they were"):
        run(stocked.context, request, Terminal(output))
    assert output.lines[1:] == [*(f"skipped {skip}" for skip in SKIPS), "sent 3 records to user-login"]
    assert [value for _, _, value, _ in stocked.sent()] == [b"0!!", b"4", b"5!!"]
    assert sorted(place.offset for place in stocked.claims.all()) == [0, 4, 5]
    run(stocked.context, RedriveRequest(execute=True), Terminal(output))
    assert [value for _, _, value, _ in stocked.sent()][3:] == [b"1", b"2", b"3", None]


def test_an_interrupt_is_not_the_maps(stocked: World, file: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(stocked.context, RedriveRequest(value_map=load(f"{file}:stop"), execute=True), Terminal(Output()))
    assert stocked.claims.all() == {}


@dataclass(slots=True)
class DamagedArchive(MemoryDeadLetterArchive):
    """The letter of offset 2 cannot be read."""

    def read(self, entry: LetterEntry) -> DeadLetter:
        if entry.place.offset == 2:
            raise Corrupt("damaged")
        return MemoryDeadLetterArchive.read(self, entry)


@pytest.mark.parametrize("reason", [Reason.REJECTED, Reason.REFUSED])
def test_a_letter_that_cannot_be_read_is_skipped(world: World, reason: Reason, file: Path) -> None:
    world.settle(3, 10)
    archive = DamagedArchive("logins", now=world.clock)
    archive.store([letter(1, reason=reason), letter(2, reason=reason)])
    world.letters.bucket = archive.bucket
    object.__setattr__(world.context, "letters", archive)
    output, place = Output(), RecordPlace(TOPIC, 3, 2)
    request = RedriveRequest(execute=True, include_redriven=True, value_map=load(f"{file}:fix"))
    object.__setattr__(request.selection, "reason", reason)
    with pytest.raises(Refused, match="1 record were skipped"):
        run(world.context, request, Terminal(output))
    assert output.lines[-2:] == [f"skipped {place}: damaged", "sent 1 record to user-login"]


@pytest.mark.parametrize(
    ("argument", "error"),
    [
        ("fix", "--map fix: expected FILE.py:FUNCTION"),
        ("{file}:", "expected FILE.py:FUNCTION"),
        ("{file}:FACTOR", "the file has no function FACTOR"),
        ("{file}:none", "the file has no function none"),
        ("{folder}/none.py:fix", "none.py:fix: No such file or directory"),
        ("{folder}:fix", "expected a Python file, like fix.py, got"),
        ("{folder}/data.txt:fix", "expected a Python file, like fix.py, got"),
        ("{folder}/broken.py:fix", "importing it raised SyntaxError: '\\(' was never closed"),
        ("{folder}/raises.py:fix", "importing it raised SystemExit: 3"),
    ],
)
def test_a_map_that_cannot_be_loaded_is_one_line(file: Path, argument: str, error: str) -> None:
    (file.parent / "data.txt").write_text(MAP)
    (file.parent / "broken.py").write_text("def fix(")
    (file.parent / "raises.py").write_text("raise SystemExit(3)")
    with pytest.raises(InvalidSetting, match=error) as raised:
        load(argument.format(file=file, folder=file.parent))
    assert "\n" not in str(raised.value)
