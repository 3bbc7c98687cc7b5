"""One schedule: faults, then a healthy writer to the end of the log while zombies resume, then the checks."""

from collections import Counter
from collections.abc import Callable
from random import Random
from unittest.mock import patch

from functions.core import narrowing
from tests.simulation import visits
from tests.simulation.checks import check
from tests.simulation.drivers import Lane, Process, Runtime
from tests.simulation.mutations import NONE, Mutation
from tests.simulation.operators import can_be_recreated, recreate, resume
from tests.simulation.releases import Release
from tests.simulation.scheduler import Task
from tests.simulation.watched import MAX_DEATHS, Violation
from tests.simulation.world import Partition, World

MAX_CONCURRENT_TASKS = 4
MAX_PROCESSES = 500  # in one schedule; about eight are usual
BURSTS = (1, 1, 2, 3, 6)  # consecutive steps of one task
Trace = Callable[[str], None]


def run(seed: int, mutation: Mutation = NONE, trace: Trace | None = None) -> Counter[str]:
    """Run the schedule of a seed and return how often each event happened.

    Raises Violation, or an error of a writer that a runtime would not retry.
    """
    with patch.object(narrowing, "PARTS", 2), mutation.planted():  # slices are small here: sixteenths would be records
        world = World(Random(seed), mutation, trace)  # noqa: S311 - it must be repeatable and is not a secret
        try:
            Schedule(world).play()
        finally:
            world.scheduler.close()
        world.erasures.restore()
        check(world)
    return world.tally


class Schedule:
    """The seed also determines the probability of each event: some schedules have many kills, some none."""

    def __init__(self, world: World) -> None:
        self.world, self.rng, self.scheduler = world, world.rng, world.scheduler
        self.processes: list[Process] = []
        self.lanes: list[Lane] = []
        self.runtime = self.rng.choice(tuple(Runtime))
        self.count = 0
        events: list[tuple[Callable[[], None], tuple[float, ...]]] = [
            (self.start, (0.15, 0.3)),
            (self.stall, (0.0, 0.05, 0.2)),
            (self.wake, (0.02, 0.1)),
            (self.kill, (0.0, 0.05, 0.15)),
            (self.rewind_commit, (0.0, 0.05)),
            (self.hand_over, (0.0, 0.03, 0.1)),
            (self.world.midnight, (0.0, 0.05)),
            (self.give_up, (0.1, 0.3) if world.gives_up else (0.0,)),
            (self.produce, (0.05, 0.2)),
            (self.deploy, (0.0, 0.05)),
            (self.resume, (0.02, 0.1)),
            (self.recreate, (0.1,) if world.recreates else (0.0,)),
            (self.damage, (0.1,) if world.damages else (0.0,)),
            (self.erase, (0.0, 0.1, 0.3)),
        ]
        self.events = [(event, self.rng.choice(chances)) for event, chances in events]

    def play(self) -> None:
        self.start()
        for _ in range(self.rng.choice((15, 30, 60))):
            self.happen()
            self.step(self.scheduler.awake())
        self.drain()

    def happen(self) -> None:
        """Let at most one event happen."""
        dice = self.rng.random()
        for event, chance in self.events:
            if dice < chance:
                return event()
            dice -= chance
        return None

    def step(self, tasks: list[Task]) -> None:
        """Run one of the tasks for a few steps."""
        if not tasks:
            return
        task = self.rng.choice(tasks)
        for _ in range(self.rng.choice(BURSTS)):
            self.scheduler.run(task)
            if task.died:
                self.bury(task)
            if task.ended:
                return

    def start(self) -> None:
        """Start an invocation or a worker, for one partition or all."""
        partitions = [self.rng.choice(self.world.partitions)]
        if self.rng.random() < 0.5:
            partitions = self.world.partitions
        is_idle = all((partition.committed or 0) >= partition.end for partition in partitions)
        if len(self.scheduler.tasks) < MAX_CONCURRENT_TASKS and not (is_idle and self.rng.random() < 0.9):
            self.begin(partitions, self.rng.choice(self.world.releases))

    def begin(self, partitions: list[Partition], release: Release) -> list[Task]:
        """Let a new process, or an idle Lambda environment, settle partitions."""
        idle = [process for process in self.processes if process.is_idle and process.release == release]
        if self.runtime is Runtime.MSK and idle and idle[-1].runtime is Runtime.MSK and self.rng.random() < 0.4:
            process = idle[-1]
        else:
            self.count += 1
            if self.count > MAX_PROCESSES:
                raise RuntimeError(f"{self.count} processes, and the log is still not settled")
            process = Process(self.world, self.runtime, release, f"{self.runtime.value}-{self.count}")
            self.processes.append(process)
            self.world.tally["processes"] += 1
        self.world.note(f"{process.name} starts, release {release}")
        lanes = [process.start(partition) for partition in partitions]
        self.lanes += lanes
        return [lane.task for lane in lanes if lane.task]

    def stall(self) -> None:
        if tasks := self.scheduler.awake():
            task = self.rng.choice(tasks)
            task.asleep = True
            self.world.tally["stalls"] += 1
            self.world.note(f"{task.name} stalls")

    def wake(self) -> None:
        if tasks := [task for task in self.scheduler.tasks if task.asleep]:
            task = self.rng.choice(tasks)
            task.asleep = False
            self.world.note(f"{task.name} wakes up")

    def kill(self) -> None:
        if self.scheduler.tasks:
            self.end(self.rng.choice(self.scheduler.tasks))
            self.world.tally["kills"] += 1

    def end(self, task: Task) -> None:
        """End the process of a task; a late call has none."""
        self.world.note(f"{task.name} is killed")
        if isinstance(task.thread.observer, Lane):
            task.thread.observer.process.kill()
        else:
            self.scheduler.kill(task)

    def bury(self, task: Task) -> None:
        """A lethal record has ended a process."""
        lane = task.thread.observer
        assert isinstance(lane, Lane)
        self.world.tally["deaths of lethal records"] += 1
        self.world.note(f"{task.name} dies of record {lane.lethal}")
        history, position = self.world.histories[lane.partition.source], lane.partition.position(self.world)
        owner = position.owner if position else None
        if owner is not None and owner.split("/")[0] == lane.process.name:
            offset = lane.lethal % 1000
            history.deaths[offset] += 1
            if history.deaths[offset] > MAX_DEATHS:
                raise Violation(f"{lane.partition.source}: {offset} has ended {history.deaths[offset]} processes")
        lane.process.kill(cause=lane)
        if self.world.gives_up and history.has_faults and lane.can_be_given_up and self.rng.random() < 0.2:
            self._give_up_on(lane)

    def rewind_commit(self) -> None:
        partition = self.rng.choice(self.world.partitions)
        first = max(partition.first, self.world.histories[partition.source].promised or 0)
        if partition.committed is not None and partition.committed >= first:
            partition.committed = self.rng.randint(first, partition.committed)
            self.world.note(f"the commit of partition {partition.number} goes back to {partition.committed}")

    def hand_over(self) -> None:
        """Only the other runtime starts processes from now on. Most running ones are asked to stop."""
        self.world.tally["handovers"] += 1
        self.runtime = Runtime.MSK if self.runtime is Runtime.WORKER else Runtime.WORKER
        self._ask_to_stop()
        self.world.note(f"handover to {self.runtime.value}")

    def deploy(self) -> None:
        """Most running processes are asked to stop."""
        self.world.tally["deploys"] += 1
        self._ask_to_stop()

    def _ask_to_stop(self) -> None:
        for process in self.processes:
            process.stop_requested = process.stop_requested or self.rng.random() < 0.7

    def give_up(self) -> None:
        """The mapping skips a batch that failed too often, although its invocation may still run."""
        batches = [lane for lane in self.lanes if lane.can_be_given_up]
        if batches:
            self._give_up_on(self.rng.choice(batches))

    def _give_up_on(self, lane: Lane) -> None:
        assert lane.slice_ is not None
        self.world.tally["batches given up"] += 1
        lane.partition.given_up.update(lane.slice_.offsets)
        lane.partition.committed = lane.slice_.end + 1
        self.world.note(f"the mapping gives up on {lane.slice_}")

    def produce(self) -> None:
        partition = self.rng.choice(self.world.partitions)
        partition.produce(self.rng.randint(1, 4))
        self.world.note(f"partition {partition.number} ends at {partition.end}")

    def resume(self) -> None:
        """An operator resumes the stopped partitions."""
        for partition in self.world.partitions:
            resume(self.world, partition)

    def recreate(self) -> None:
        """A topic whose records are all settled is deleted and created again."""
        partition = self.rng.choice(self.world.partitions)
        if can_be_recreated(self.world, partition):
            for lane in self.lanes:
                if lane.partition is partition and lane.task and not lane.task.ended:
                    self.end(lane.task)
            recreate(self.world, partition)

    def damage(self) -> None:
        """The object of a slice that is not settled becomes unreadable."""
        partition = self.rng.choice(self.world.partitions)
        position = partition.position(self.world)
        if position and position.day and (partition.source, position.day, position.next) in self.world.lake.objects:
            self.world.lake.damaged[partition.source, position.day, position.next] = "all"
            self.world.histories[partition.source].damaged = True
            self.world.note(f"the object of partition {partition.number} at {position.next} is damaged")

    def erase(self) -> None:
        """An operator erases a person."""
        partition = self.rng.choice(self.world.partitions)
        position = partition.position(self.world)
        replaced = self.world.erasures.run(self.rng, partition.source, position.next if position else None)
        self.world.tally["objects erased from"] += replaced
        self.world.note(f"an erasure replaces {replaced} objects of partition {partition.number}")

    def drain(self) -> None:
        """End the faults, append one more record, and let healthy processes settle the rest."""
        self.world.line.chance = self.world.line.throttling = 0.0
        self.world.note(f"the faults are over, {self.runtime.value} drains")
        for partition in self.world.partitions:
            self.world.histories[partition.source].has_faults = False
            partition.produce(len(partition.future))
            partition.subscribe(self.world)  # a pipeline that starts at the end would otherwise skip the last record
            partition.entries.append(visits.closing(partition.entries, partition.number))
        for partition in self.world.partitions:
            while not self.world.is_settled(partition):
                resume(self.world, partition)
                for task in self.begin([partition], self.world.releases[-1]):
                    self.finish(task)
        while self.scheduler.tasks:
            self.step(self.scheduler.tasks)
            self.resume()

    def finish(self, task: Task) -> None:
        """Run a task to its end, in parallel with zombies."""
        while not task.ended and task in self.scheduler.tasks:
            self.step([task] if self.rng.random() < 0.7 else self.scheduler.tasks)
