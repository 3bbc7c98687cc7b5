"""One schedule: chaos for a while; a healthy writer to the end of the log, while zombies wake up; the checks."""

from collections import Counter
from collections.abc import Callable
from random import Random

from tests.simulation import visits
from tests.simulation.checks import check
from tests.simulation.drivers import Runtime, Writer
from tests.simulation.mutations import NONE, Mutation
from tests.simulation.scheduler import Task
from tests.simulation.world import Partition, World

MOST_WRITERS = 4
ENDLESS = 500  # writers in one schedule: about eight are usual
BURSTS = (1, 1, 2, 3, 6)  # how many pauses a writer gets in a row
Tell = Callable[[str], None]


def run(seed: int, mutation: Mutation = NONE, tell: Tell | None = None) -> Counter[str]:
    """Play the schedule of a seed and say what happened in it, in numbers.

    Raises Violation, or whatever a writer raised that a runtime would not retry.
    """
    world = World(Random(seed), mutation, tell)  # noqa: S311 - it must be repeatable, and is no secret
    try:
        Schedule(world).play()
    finally:
        world.scheduler.close()
    check(world)
    return world.tally


class Schedule:
    """How likely each event is follows from the seed too: some schedules are all kills, some have none."""

    def __init__(self, world: World) -> None:
        self.world, self.rng, self.scheduler = world, world.rng, world.scheduler
        self.writers: list[Writer] = []
        self.runtime = self.rng.choice(tuple(Runtime))
        self.count = 0
        events: list[tuple[Callable[[], None], tuple[float, ...]]] = [
            (self.start, (0.15, 0.3)),
            (self.stall, (0.0, 0.05, 0.2)),
            (self.wake, (0.02, 0.1)),
            (self.kill, (0.0, 0.05, 0.15)),
            (self.rewind, (0.0, 0.05)),
            (self.flip, (0.0, 0.03, 0.1)),
            (self.world.midnight, (0.0, 0.05)),
            (self.give_up, (0.1, 0.3) if world.gives_up else (0.0,)),
        ]
        self.events = [(event, self.rng.choice(chances)) for event, chances in events]

    def play(self) -> None:
        self.start()
        for _ in range(self.rng.choice((15, 30, 60))):
            self.happen()
            self.step(self.scheduler.awake())
        self.drain()

    def happen(self) -> None:
        """At most one event."""
        dice = self.rng.random()
        for event, chance in self.events:
            if dice < chance:
                return event()
            dice -= chance
        return None

    def step(self, tasks: list[Task]) -> None:
        """Let one of the tasks go on for a while."""
        if not tasks:
            return
        task = self.rng.choice(tasks)
        for _ in range(self.rng.choice(BURSTS)):
            self.scheduler.run(task)
            if task.ended:
                return

    def start(self) -> None:
        partition = self.rng.choice(self.world.partitions)
        idle = partition.committed >= partition.end and self.rng.random() < 0.9
        if len(self.scheduler.tasks) < MOST_WRITERS and not idle:
            self.begin(partition, self.rng.randint(1, self.world.versions))

    def begin(self, partition: Partition, version: int) -> Writer:
        writer = Writer(self.world, self.runtime, partition, version)
        self.count += 1
        if self.count > ENDLESS:
            raise RuntimeError(f"{self.count} writers and no end")
        name = f"{self.runtime.value}-{self.count} (partition {partition.source.partition})"
        writer.task = self.scheduler.spawn(name, writer.work)
        self.writers.append(writer)
        self.world.tally["writers"] += 1
        self.world.note(f"{name} starts, release {version}, commit at {partition.committed}")
        return writer

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
            task = self.rng.choice(self.scheduler.tasks)
            self.scheduler.kill(task)
            self.world.tally["kills"] += 1
            self.world.note(f"{task.name} is killed")

    def rewind(self) -> None:
        partition = self.rng.choice(self.world.partitions)
        partition.committed = self.rng.randint(partition.entries[0].offset, partition.committed)
        self.world.note(f"the commit of partition {partition.source.partition} goes back to {partition.committed}")

    def flip(self) -> None:
        """A handover: the other runtime starts from now on. Whoever runs is told to stop, and may not have heard."""
        self.world.tally["handovers"] += 1
        self.runtime = Runtime.MSK if self.runtime is Runtime.WORKER else Runtime.WORKER
        for writer in self.writers:
            writer.told_to_stop = writer.told_to_stop or self.rng.random() < 0.7
        self.world.note(f"handover to {self.runtime.value}")

    def give_up(self) -> None:
        """The mapping skips a batch that failed too often; its invocation may be alive, and not know."""
        batches = [
            writer for writer in self.writers
            if writer.runtime is Runtime.MSK and writer.part and writer.partition.committed <= writer.part.start
        ]  # fmt: skip
        if batches:
            writer = self.rng.choice(batches)
            assert writer.part is not None
            self.world.tally["batches given up"] += 1
            writer.partition.given_up.update(writer.part.offsets)
            writer.partition.committed = writer.part.end + 1
            self.world.note(f"the mapping gives up on {writer.part}")

    def drain(self) -> None:
        """The faults are over, one more record arrives, and a healthy writer settles what is left."""
        self.world.line.chance = 0.0
        self.world.note(f"the faults are over, {self.runtime.value} drains")
        for partition in self.world.partitions:
            partition.entries.append(visits.closing(partition.entries))
        for partition in self.world.partitions:
            while not self.world.settled(partition):
                self.finish(self.begin(partition, self.world.versions).task)
        while self.scheduler.tasks:
            self.step(self.scheduler.tasks)

    def finish(self, task: Task | None) -> None:
        """Run a task to its end, zombies beside it."""
        while task and not task.ended:
            self.step([task] if self.rng.random() < 0.7 else self.scheduler.tasks)
