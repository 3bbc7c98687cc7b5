"""Setting an object aside: what is refused, what a crash leaves, and that everything is exact afterwards."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import pytest

from functions.adapters.memory import MemoryLake, MemoryLedger
from functions.adapters.memory_operators import MemoryLakeQuarantine, MemoryLedgerRepair
from functions.core.errors import Corrupt, Refused
from functions.core.ports import Position, StopReason
from functions.operate.quarantine.run import QuarantineRequest, run
from functions.operate.resume.run import ResumeRequest
from functions.operate.resume.run import run as resume
from tests.unit.operate.settling import NEWEST, settler_of, slice_of
from tests.unit.operate.world import NOW, Output, World, source

SOURCE = source(3)
PLACE = (SOURCE, NOW.date(), 5000)
RECORDS = slice_of(5000, good=300, bad=3)
COUNTS_PER_ADVANCE = 6  # so that the records take four transactions


class DeadError(Exception):
    """The process, at this point."""


class Dying:
    """A store of which the process dies at call number `calls` of one of `names`, counted from 0."""

    def __init__(self, store: Any, calls: int, *names: str) -> None:
        self.store, self.calls, self.names = store, calls, names

    def __getattr__(self, name: str) -> Any:
        if name in self.names:
            self.calls -= 1
            if self.calls < 0:
                raise DeadError
        return getattr(self.store, name)


def quarantine(world: World, **request: Any) -> list[str]:
    output = Output()
    run(world.context, QuarantineRequest(3, **request), output)
    return output.lines


def stopped_by_its_object(pool: ThreadPoolExecutor, steps: int, damage: Any) -> World:
    """Return a stage whose object at 5000 was put, and then damaged, when `steps` of its transactions were done."""
    world = World(pool, ledger=MemoryLedger(COUNTS_PER_ADVANCE))
    world.settle(3, 5000, NEWEST)
    settler = settler_of(world, "died")
    dying: Any = Dying(world.ledger, steps, "advance")
    with pytest.raises(DeadError):
        replace(settler, stores=replace(settler.stores, ledger=dying)).settle(RECORDS)
    assert world.ledger.positions[SOURCE].step == steps
    world.lake.damaged[PLACE] = damage
    with pytest.raises(Corrupt, match="is damaged"):
        settler_of(world, "next").settle(RECORDS)
    return world


@pytest.fixture(params=[0, 1, 3])
def damaged(request: pytest.FixtureRequest, pool: ThreadPoolExecutor) -> World:
    """A stage that is stopped by its object, the counts of which can still be read, after none or some steps."""
    return stopped_by_its_object(pool, request.param, "part")


@pytest.fixture
def exact(pool: ThreadPoolExecutor) -> World:
    """A stage that settled the same records undisturbed."""
    world = World(pool, ledger=MemoryLedger(COUNTS_PER_ADVANCE))
    world.settle(3, 5000, NEWEST)
    settler_of(world).settle(RECORDS)
    return world


def contents(world: World) -> Iterator[Any]:
    """Yield everything that the records became, but for messages, which a crash may repeat.

    Rows as a list over all objects: after a process has ended, the same records are settled in smaller slices.
    """
    yield {bucket: amount for bucket, amount in world.ledger.counters.items() if amount}
    yield sorted(
        (offset, number, repr([column[index] for column in intent.rows.columns.values()]))
        for intent in world.lake.objects.values()
        for index, (offset, number) in enumerate(zip(intent.rows.offsets, intent.rows.numbers, strict=True))
    )
    yield {name: table.rows for name, table in world.tables.items()}
    yield set(world.letters.bucket)
    position = world.ledger.positions[SOURCE]
    yield position.next, position.step, position.stop, position.newest


def continue_and_compare(world: World, exact: World) -> None:
    resume(world.context, ResumeRequest(3, execute=True), Output())
    settler_of(world, "after").settle(RECORDS)
    assert list(contents(world)) == list(contents(exact))


def test_without_execute_it_shows_the_object_and_changes_nothing(damaged: World) -> None:
    before = damaged.ledger.positions[SOURCE]
    subtracted = {0: "", 1: "; the counts of 1 transaction are subtracted first"}
    lines = quarantine(damaged)
    assert lines[0].startswith("stop    corrupt, since 2026-11-23T12:00:00.000Z (0 s ago), at the slice [5000, 5302]")
    assert lines[3].startswith("object  memory:lake/logins/day=2026-11-23/user-login-3-00000000000000005000.parquet, ")
    many = f"; the counts of {before.step} transactions are subtracted first"
    assert lines[4] == (
        f"then    it is copied to the dead letter bucket and deleted from the lake{subtracted.get(before.step, many)}"
    )
    assert lines[-1] == "to set it aside: tandem quarantine 3 --since 2026-11-23T12:00:00.000Z --execute"
    assert damaged.ledger.positions[SOURCE] == before
    assert PLACE in damaged.lake.objects


def test_with_execute_it_is_set_aside_and_everything_is_exact_after_a_resume(damaged: World, exact: World) -> None:
    content = repr(damaged.lake.objects[PLACE]).encode()
    lines = quarantine(damaged, execute=True)
    assert lines[-2].startswith("set aside as memory:dead-letters/logins/quarantine/day=2026-11-23/")
    assert lines[-1] == "to continue: tandem resume 3"
    quarantined = damaged.context.quarantine
    assert isinstance(quarantined, MemoryLakeQuarantine)
    assert list(quarantined.aside.values()) == [content]
    with pytest.raises(Corrupt, match="until an operator resumes it"):
        settler_of(damaged, "early").settle(RECORDS)
    continue_and_compare(damaged, exact)


@pytest.mark.parametrize("names", [("fence",), ("copy",), ("retract",), ("delete",)])
@pytest.mark.parametrize("calls", [0, 1, 2])
def test_after_a_crash_at_any_step_it_is_run_again(
    damaged: World, exact: World, names: tuple[str, ...], calls: int
) -> None:
    whole = damaged.context
    repair: Any = Dying(whole.repair, calls, *names)
    store: Any = Dying(whole.quarantine, calls, *names)
    damaged.context = replace(whole, repair=repair, quarantine=store)
    try:
        quarantine(damaged, execute=True)
    except DeadError:
        damaged.context = whole
        quarantine(damaged, execute=True)
    damaged.context = whole
    assert quarantine(damaged, execute=True)[-2].startswith("the object was set aside before, as memory:")
    continue_and_compare(damaged, exact)


def test_a_writer_that_had_read_the_object_and_was_suspended_cannot_advance(pool: ThreadPoolExecutor) -> None:
    world = stopped_by_its_object(pool, 0, "part")
    read = replace(world.ledger.positions[SOURCE], stop=None)
    quarantine(world, execute=True)
    resume(world.context, ResumeRequest(3, execute=True), Output())
    assert not world.ledger.advance(SOURCE, read, Position(5303, 0, None, NEWEST), (), None)
    current = world.ledger.positions[SOURCE]
    assert (current.next, current.fence) == (5000, 1)


def test_of_two_operators_at_once_one_sets_it_aside_and_the_other_is_told(damaged: World, exact: World) -> None:
    """The second has read the object, and is suspended until the first has finished and the records are settled."""

    def finish() -> None:
        quarantine(damaged, execute=True)
        continue_and_compare(damaged, exact)

    class Suspended(Output):
        def __call__(self, text: str) -> None:
            if text.startswith("object"):
                finish()

    with pytest.raises(Refused, match="another operator was faster, nothing was done"):
        run(damaged.context, QuarantineRequest(3, execute=True), Suspended())
    assert list(contents(damaged)) == list(contents(exact))


@dataclass(frozen=True, slots=True)
class SlowQuarantine(MemoryLakeQuarantine):
    """Calls `before_delete` before it deletes."""

    before_delete: Callable[[], object] = lambda: None

    def delete(self, *place: Any) -> bool:
        self.before_delete()
        return MemoryLakeQuarantine.delete(self, *place)


def test_an_operator_who_is_suspended_before_deleting_deletes_no_other_object(damaged: World, exact: World) -> None:
    whole = damaged.context

    def finish() -> None:
        damaged.context = whole
        quarantine(damaged, execute=True)
        continue_and_compare(damaged, exact)

    damaged.context = replace(whole, quarantine=SlowQuarantine(damaged.lake, {}, finish))
    with pytest.raises(Refused, match="is another object by now"):
        quarantine(damaged, execute=True)
    assert list(contents(damaged)) == list(contents(exact))


def test_after_a_step_an_object_whose_counts_cannot_be_read_is_refused(pool: ThreadPoolExecutor) -> None:
    world = stopped_by_its_object(pool, 2, "all")
    before = world.ledger.positions[SOURCE]
    with pytest.raises(
        Refused, match=r"the counts of 2 .* are added already, and it cannot be read which: .* count them"
    ):
        quarantine(world, execute=True)
    assert world.ledger.positions[SOURCE] == before
    assert PLACE in world.lake.objects


def test_before_any_step_the_counts_need_not_be_readable(pool: ThreadPoolExecutor, exact: World) -> None:
    world = stopped_by_its_object(pool, 0, "all")
    quarantine(world, execute=True)
    continue_and_compare(world, exact)


def gone(world: World) -> None:
    del world.lake.objects[PLACE]


def repaired(world: World) -> None:
    world.lake.damaged.clear()


def without_object(world: World) -> None:
    world.ledger.positions[SOURCE] = replace(world.ledger.positions[SOURCE], has_object=False)


def of_another_object(world: World) -> None:
    world.ledger.positions[SOURCE] = replace(world.ledger.positions[SOURCE], step=9)


@pytest.mark.parametrize(
    ("steps", "change", "why"),
    [
        (0, gone, "there is no object at offset 5000 of 2026-11-23"),
        (1, gone, "the object has disappeared, and the counts of 1 .* restore the object's last version"),
        (0, repaired, "this release can read memory:.*, and would roll it forward: see tandem resume 3"),
        (1, repaired, "this release can read memory:.*, and would roll it forward from step 1"),
        (0, without_object, "the ledger says that offset 5000 has no object: the ledger itself is corrupt"),
        (1, of_another_object, "the object has 4 transactions, and the counts of 9"),
    ],
)
def test_where_it_would_not_help_or_not_be_exact_it_is_refused(
    pool: ThreadPoolExecutor, steps: int, change: Callable[[World], None], why: str
) -> None:
    world = stopped_by_its_object(pool, steps, "part")
    change(world)
    before = world.ledger.positions[SOURCE]
    with pytest.raises(Refused, match=why):
        quarantine(world, execute=True)
    assert world.ledger.positions[SOURCE] == before


@pytest.mark.parametrize("reason", [StopReason.FLOOD, StopReason.OFFSETS_WENT_BACK])
def test_another_stop_is_none_of_an_object(world: World, reason: StopReason) -> None:
    world.settle(3, 5000, NEWEST)
    world.open(3)
    world.store_object(3, date(2026, 11, 1), 5000)
    world.stop(3, reason)
    with pytest.raises(Refused, match=f"the stop is {reason.value}, not corrupt: no object causes it"):
        quarantine(world, execute=True)


def test_a_partition_that_is_not_stopped_is_refused(world: World) -> None:
    world.settle(3, 5000, NEWEST)
    with pytest.raises(Refused, match="is not stopped"):
        quarantine(world, execute=True)


def test_another_stop_than_the_one_shown_is_left_alone(damaged: World) -> None:
    with pytest.raises(Refused, match="as in --since: nothing was done"):
        quarantine(damaged, expected="2026-01-01T00:00:00.000Z", execute=True)
    assert isinstance(damaged.context.repair, MemoryLedgerRepair)
    assert isinstance(damaged.lake, MemoryLake)
    assert PLACE in damaged.lake.objects
