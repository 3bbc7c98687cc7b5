"""Processes: they drive the settler as the runtimes do. A Retry settles the slice again; the commit comes last."""

from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final

from functions.core.errors import Retry, Stop
from functions.core.ports import DurableStop, StopReason
from functions.core.settle import Settler
from functions.core.slice import Slice
from functions.core.stops import milliseconds
from tests.simulation.faults import Progress
from tests.simulation.releases import Release
from tests.simulation.world import Partition, World

if TYPE_CHECKING:
    from tests.simulation.scheduler import Task

MAX_RECORDS: Final = 16  # of a slice


class Runtime(Enum):
    MSK = "msk"
    WORKER = "worker"


@dataclass(slots=True)
class Alone:
    """A lock that is never waited for."""

    held: bool = False

    def acquire(self, blocking: bool = True) -> bool:  # noqa: FBT001, FBT002 - see functions.core.mutex
        if blocking or self.held:
            return False
        self.held = True
        return True

    def release(self) -> None:
        self.held = False


@dataclass(eq=False, slots=True)
class Process:
    """A Lambda environment or a worker: one settler, and a lane for each partition that it is settling."""

    world: World
    runtime: Runtime
    release: Release
    name: str
    settler: Settler = field(init=False)
    lanes: list["Lane"] = field(default_factory=list)
    ended: bool = False
    stop_requested: bool = False  # it received SIGTERM

    def __post_init__(self) -> None:
        self.settler = self.world.settler(self.release, self.name, Alone())

    @property
    def is_idle(self) -> bool:
        return not self.ended and all(lane.task is None or lane.task.ended for lane in self.lanes)

    def start(self, partition: Partition) -> "Lane":
        """Start to settle a partition, in a separate task."""
        lane = Lane(self, partition)
        self.lanes = [other for other in self.lanes if other.task and not other.task.ended]
        lane.task = self.world.scheduler.spawn(f"{self.name} (partition {partition.number})", lane.work, lane)
        self.lanes.append(lane)
        return lane

    def kill(self, cause: "Lane | None" = None) -> None:
        """End at once, in all lanes; of a lethal record in the lane `cause`."""
        self.ended = True
        for lane in self.lanes:
            history = self.world.histories[lane.partition.source]
            if history.end_of_attempts(self.name) and lane is not cause:
                history.deaths.clear()
            if lane.task:
                self.world.scheduler.kill(lane.task)


class Lane(Progress):
    """One partition's part of an invocation, or a worker's lane. `slice_`: the slice that is being settled."""

    def __init__(self, process: Process, partition: Partition) -> None:
        super().__init__()
        self.process, self.world, self.partition = process, process.world, partition
        self.generation = partition.generation
        self.slice_: Slice | None = None
        self.task: Task | None = None
        self.lethal = -1  # the number of the record that has ended the process

    def work(self) -> None:
        if self.process.runtime is Runtime.MSK:
            self._invocation()
        else:
            self._worker()

    def die(self, number: int) -> None:
        """See Observer: a lethal record ends the process."""
        self.lethal = number
        self.world.scheduler.die()

    @property
    def can_be_given_up(self) -> bool:
        """Whether this is the batch that the mapping is trying."""
        partition = self.partition
        return (
            self.process.runtime is Runtime.MSK
            and self.slice_ is not None
            and self.generation == partition.generation
            and not self.world.histories[partition.source].recreated
            and (partition.committed or 0) <= self.slice_.start
        )

    def _invocation(self) -> None:
        """Settle one batch, which starts with the first record at or after the commit, in a few attempts."""
        slice_ = self.partition.slice_from(self.partition.subscribe(self.world), self._records(), None)
        attempts = self.world.rng.randint(1, 4) if self.world.line.chance or self.world.line.throttling else 2
        if slice_ is not None:
            self._settle(slice_, attempts)

    def _worker(self) -> None:
        """Settle slices from the ledger's position on; each slice starts where the previous one ended."""
        offset = self._assigned()
        while offset is not None and not self.process.stop_requested:
            slice_ = self.partition.slice_from(offset, self._records(), offset)
            if slice_ is None or not self._settle(slice_, None):
                return
            offset = slice_.end + 1

    def _assigned(self) -> int | None:
        """Return where to begin; None if the topic is another one than the ledger's."""
        partition, ledger = self.partition, self.process.settler.stores.ledger
        start = partition.begin_at(self.world)
        topic_id = partition.topic_id
        while not self.process.stop_requested:
            with suppress(Retry):
                position = ledger.begin(partition.source, start, topic_id)
                if position.topic_id != topic_id:
                    now = milliseconds(self.world.now)
                    ledger.stop(
                        partition.source,
                        DurableStop(StopReason.OFFSETS_WENT_BACK, "another topic", 0, partition.end - 1, now),
                    )
                    return None
                partition.promise(self.world, position.next)
                return position.next
        return None

    def _settle(self, slice_: Slice, attempts: int | None) -> bool:
        """Settle and commit. False: no attempts are left, the partition is stopped, or SIGTERM came between two."""
        if self.world.mutation.commits_first:
            self._commit(slice_)
        self.slice_ = slice_
        self.durable.clear()
        self.evaluations.clear()
        settlement = self.process.settler.begin(slice_)
        while attempts is None or attempts > 0:
            try:
                settled = settlement.run()
            except Retry:
                attempts = None if attempts is None else attempts - 1
                if self.process.stop_requested:
                    return False
            except Stop as stop:
                if not self.world.histories[self.partition.source].stops:
                    raise
                self.world.note(f"{self.process.name} is stopped: {stop}")
                return False
            else:
                self.slice_ = None
                self.world.count(settled)
                self._commit(slice_)
                return True
        return False

    def _commit(self, slice_: Slice) -> None:
        """Commit to the group. It may fail, or rewind the commits of others if this writer is a zombie."""

        def commit() -> None:
            if self.generation == self.partition.generation:
                self.partition.committed = slice_.end + 1

        with suppress(Retry):
            self.world.line.call("commit", f"partition {slice_.partition} at {slice_.end + 1}", commit)

    def _records(self) -> int:
        """Return how many records a slice has; a full one after a process has died, because there is a backlog."""
        records = self.world.rng.choice((1, 2, 2, 3, 4, 8, MAX_RECORDS))
        return MAX_RECORDS if self.world.histories[self.partition.source].deaths else records
