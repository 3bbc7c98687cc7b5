"""The output in docs/operate.md is what the verbs say."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from functions.adapters.memory import MemoryLedger
from functions.core.dead_letter import Reason
from functions.core.errors import Corrupt, Flood
from functions.operate.dead_letters.selection import Selection
from functions.operate.discard.run import DiscardRequest
from functions.operate.discard.run import run as discard
from functions.operate.quarantine.run import QuarantineRequest
from functions.operate.quarantine.run import run as quarantine
from functions.operate.redrive.run import RedriveRequest
from functions.operate.redrive.run import run as redrive
from functions.operate.redrive.value_map import load
from functions.operate.resume.run import ResumeRequest
from functions.operate.resume.run import run as resume
from functions.operate.status.partition_status import inspect_pipeline, summary
from functions.operate.status.text import status_table, status_text
from functions.operate.summary.run import summarize
from functions.operate.summary.text import summary_text
from functions.operate.terminal import Terminal
from tests.docs.pages import page
from tests.unit.operate.settling import NEWEST, settler_of, slice_of
from tests.unit.operate.test_quarantine import PLACE, DeadError, Dying
from tests.unit.operate.world import Output, World, letter

ACCOUNT: Final = "111122223333-us-east-1"  # AWS's example
BUCKETS: Final = {
    "memory:lake": f"s3://tandem-prod-lake-{ACCOUNT}",
    "memory:dead-letters": f"s3://tandem-prod-dead-letters-{ACCOUNT}",
}
CONTENT: Final = re.compile(r"\b[0-9a-f]{16}(?=\.parquet)|[\d,]+ bytes$", re.MULTILINE)  # a digest, and a size


@pytest.fixture
def world() -> Iterator[World]:
    """A stage whose partition 3 is settled up to 5000."""
    with ThreadPoolExecutor(2) as pool:
        world = World(pool, ledger=MemoryLedger(6))
        world.settle(3, 5000, NEWEST)
        yield world


def flooded(world: World) -> None:
    with pytest.raises(Flood):
        settler_of(world).settle(slice_of(5000, good=188, bad=812))
    world.clock.advance(timedelta(hours=3))


def damaged(world: World) -> None:
    settler, records = settler_of(world, "died"), slice_of(5000, good=1000)
    dying: Any = Dying(world.ledger, 2, "advance")
    with pytest.raises(DeadError):
        replace(settler, stores=replace(settler.stores, ledger=dying)).settle(records)
    world.lake.damaged[PLACE] = "part"
    with pytest.raises(Corrupt):
        settler_of(world, "next").settle(records)
    world.clock.advance(timedelta(hours=3))


def said(world: World, verb: Callable[..., object], request: object) -> list[str]:
    output = Output()
    verb(world.context, request, output)
    text = "\n".join(output.lines)
    for memory, bucket in BUCKETS.items():
        text = text.replace(memory, bucket)
    return CONTENT.sub("<content>", text).splitlines()


def shown(command: str) -> list[str]:
    """The lines that the page shows below a command, without what depends on an object's content."""
    (block,) = [each for each in page("docs/operate.md").blocks if f"$ {command}\n" in each.code]
    lines = CONTENT.sub("<content>", block.code).splitlines()
    after = lines[lines.index(f"$ {command}") + 1 :]
    return after[: next((n for n, line in enumerate(after) if line.startswith("$ ")), len(after))]


def test_resume(world: World) -> None:
    flooded(world)
    expected = said(world, resume, ResumeRequest(3))
    assert shown("tandem resume 3") == expected
    command = expected[-1].removeprefix("to end the stop: ")
    assert shown(command) == ["...", said(world, resume, ResumeRequest(3, execute=True))[-1]]


def test_quarantine(world: World) -> None:
    damaged(world)
    expected = said(world, quarantine, QuarantineRequest(3))
    assert shown("tandem quarantine 3") == expected
    command = expected[-1].removeprefix("to set it aside: ")
    assert shown(command) == ["...", *said(world, quarantine, QuarantineRequest(3, execute=True))[-2:]]


def test_discard(world: World) -> None:
    world.letters.store([letter(offset, reason=Reason.UNDECODABLE) for offset in range(12)])
    request = DiscardRequest(Selection(Reason.UNDECODABLE))
    expected = said(world, lambda context, request, say: discard(context, request, Terminal(say)), request)
    assert shown("tandem dead-letters discard --reason undecodable --until 2026-11-23") == expected


def test_summary(world: World) -> None:
    required = "device_type: Field required"
    world.letters.store([letter(n, reason=Reason.INVALID, detail=required) for n in range(321, 357)])
    world.letters.store([letter(n, reason=Reason.FAILED, detail="KeyError: 'de'") for n in (400, 401)])
    expected = summary_text(summarize(world.context, Selection(), Terminal(print)), 20)
    assert "\n".join(shown("tandem dead-letters summary")) == expected
    assert status_text(inspect_pipeline(world.context)).splitlines()[-2] in shown("tandem status")


def test_redrive_with_a_map(world: World, tmp_path: Path) -> None:
    (code,) = [each.code for each in page("docs/operate.md").blocks if "# fix.py" in each.code]
    (tmp_path / "fix.py").write_text(code)
    values = dict.fromkeys(range(400), b'{"device": "ios"}') | {345: b"{}"}
    world.letters.store([letter(offset, reason=Reason.INVALID, value=values[offset]) for offset in range(320, 357)])
    request = RedriveRequest(Selection(Reason.INVALID), value_map=load(f"{tmp_path}/fix.py:rename"))
    expected = said(world, lambda context, request, say: redrive(context, request, Terminal(say)), request)
    assert shown("tandem dead-letters redrive --reason invalid --map fix.py:rename") == expected


def test_the_status_of_a_stopped_partition(world: World) -> None:
    flooded(world)
    found = inspect_pipeline(world.context)
    statuses, error = found.partitions, found.error
    last = status_table(statuses).splitlines()[-1]
    assert last in shown("tandem status")
    stopped, _, _ = summary(statuses, error).partition("; ")
    assert shown("tandem status")[-1].startswith(f"logins: {stopped}; ")
