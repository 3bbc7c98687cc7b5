"""What a terminal does between two chunks of work: pace, progress, and interrupts that wait."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

from functions.core.record_place import RecordPlace
from functions.core.redrive import ClaimState
from functions.operate.dead_letters.selection import Selection
from functions.operate.discard.run import DiscardRequest
from functions.operate.discard.run import run as discard
from functions.operate.redrive.run import RedriveRequest
from functions.operate.redrive.run import run as redrive
from functions.operate.terminal import CHUNK, Terminal
from tests.unit.operate.world import TOPIC, Output, World, letter


@dataclass
class Hours:
    """A clock that passes only by waiting."""

    now: float = 100.0
    waits: list[float] = field(default_factory=list)

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@contextmanager
def ctrl_c() -> Iterator[Callable[[], bool]]:
    yield lambda: True


@pytest.fixture
def many(world: World) -> World:
    world.settle(3, 1000)
    world.letters.store([letter(offset, value=b"%d" % offset) for offset in range(250)])
    return world


def test_work_comes_in_chunks_with_its_progress() -> None:
    progress: list[tuple[int, int]] = []
    terminal = Terminal(print, lambda done, total: progress.append((done, total)))
    assert [len(chunk) for chunk in terminal.chunks(range(250))] == [CHUNK, CHUNK, 50]
    assert progress == [(100, 250), (200, 250), (250, 250)]


@pytest.mark.parametrize(("per_second", "waits"), [(10, [0, 1, 1]), (1000, [0, 0.025])])
def test_the_rate_is_limited(per_second: int, waits: list[float]) -> None:
    hours = Hours()
    terminal = Terminal(print, wait=hours.wait, clock=lambda: hours.now)
    items = range(25 if per_second == 10 else 125)
    assert sum(map(len, terminal.chunks(items, per_second))) == len(items)
    assert hours.waits == pytest.approx(waits if per_second == 10 else [0, 0.1])


def test_time_that_the_work_takes_is_not_waited_again() -> None:
    hours = Hours()
    terminal = Terminal(print, wait=hours.wait, clock=lambda: hours.now)
    for _ in terminal.chunks(range(20), 10):
        hours.now += 0.75
    assert hours.waits == pytest.approx([0, 0.25])


def test_an_interrupted_redrive_has_sent_and_marked_a_whole_chunk_and_can_be_run_again(many: World) -> None:
    with pytest.raises(
        KeyboardInterrupt, match=r"interrupted: sent 100 of 250 records; run it again to send the others"
    ):
        redrive(many.context, RedriveRequest(execute=True), Terminal(Output(), deferring=ctrl_c))
    assert {claim.state for claim in many.claims.all().values()} == {ClaimState.SENT}
    redrive(many.context, RedriveRequest(execute=True), Terminal(Output()))
    assert [value for _, _, value, _ in many.sent()] == [b"%d" % offset for offset in range(250)]


def test_an_interrupted_discard_can_be_run_again(many: World) -> None:
    with pytest.raises(KeyboardInterrupt, match="interrupted: discarded the letters of 100 of 250 records"):
        discard(many.context, DiscardRequest(Selection(), execute=True), Terminal(Output(), deferring=ctrl_c))
    assert len(many.claims.all()) == 100
    discard(many.context, DiscardRequest(Selection(), execute=True), Terminal(Output()))
    assert len(many.claims.all()) == 250


def test_an_interrupt_after_the_last_chunk_is_too_late(many: World) -> None:
    request = RedriveRequest(Selection(places=[RecordPlace(TOPIC, 3, 7)]), execute=True)
    output = Output()
    redrive(many.context, request, Terminal(output, deferring=ctrl_c))
    assert output.lines[-1] == "sent 1 record to user-login"
