"""Writers, as the two runtimes drive the settler: a whole settlement again on Retry, and a commit only after it."""

from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

from functions.core.errors import OffsetsWentBack, Retry
from functions.core.ports import Position
from functions.core.settle import Settler
from functions.core.slice import Slice
from tests.simulation.scheduler import Task
from tests.simulation.world import Partition, World


class Runtime(Enum):
    MSK = "msk"
    WORKER = "worker"


@dataclass(eq=False, slots=True)
class Writer:
    """One invocation or one worker's lane. `part`: what it is settling now; `told_to_stop`: SIGTERM has reached it."""

    world: World
    runtime: Runtime
    partition: Partition
    version: int
    settler: Settler = field(init=False)
    part: Slice | None = None
    told_to_stop: bool = False
    task: Task | None = None

    def __post_init__(self) -> None:
        self.settler = self.world.settler(self.version)

    def work(self) -> None:
        if self.runtime is Runtime.MSK:
            self._invocation()
        else:
            self._lane()

    def _invocation(self) -> None:
        """A batch begins with the first record at or after the commit, and is tried for as long as there is time."""
        part = self.partition.slice_from(self.partition.committed, self._records(), None)
        attempts = self.world.rng.randint(1, 4) if self.world.line.chance else 1
        if part is not None:
            self._settle(part, attempts)

    def _lane(self) -> None:
        """A worker reads from where the ledger stands, and a slice starts where the last one ended."""
        at = self._ledger()
        position = self.partition.committed if at is None else at.next
        while not self.told_to_stop:
            part = self.partition.slice_from(position, self._records(), position)
            if part is None or not self._settle(part, None):
                return
            position = part.end + 1

    def _ledger(self) -> Position | None:
        while True:
            try:
                return self.world.stores.ledger.read(self.partition.source)
            except Retry:
                continue

    def _settle(self, part: Slice, attempts: int | None) -> bool:
        """Settle and commit. False: out of attempts, or told to stop between two of them."""
        if self.world.mutation.commits_first:
            self._commit(part)
        self.part = part
        while attempts is None or attempts > 0:
            try:
                done = self.settler.settle(part)
            except Retry:
                attempts = None if attempts is None else attempts - 1
                if self.told_to_stop:
                    return False
            except OffsetsWentBack:
                if self.partition.given_up.isdisjoint(part.offsets):
                    raise
                self._person_looks()
                return False
            else:
                self.part = None
                self.world.count(done)
                self._commit(part)
                return True
        return False

    def _person_looks(self) -> None:
        """Rightly stopped: records that were given up on came again. The group goes on where the ledger stands."""
        position = self.world.ledger.positions[self.partition.source]
        self.partition.committed = max(self.partition.committed, position.next)
        self.world.tally["stops"] += 1

    def _commit(self, part: Slice) -> None:
        """A courtesy: it may fail, or come from a zombie and rewind what others have committed."""
        with suppress(Retry):
            told = f"partition {part.partition} at {part.end + 1}"
            self.world.line.call("commit", told, lambda: self.partition.commit(part.end + 1))

    def _records(self) -> int:
        return self.world.rng.choice((1, 2, 2, 3, 4, 8))
