"""Writers as coroutines: each call of a port returns control to the schedule.

Greenlets, not threads: the core under test is plain code, a switch costs less than a microsecond, and the seed
determines the order of all steps.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from greenlet import GreenletExit, getcurrent, greenlet

from tests.simulation.visits import Observer

DIED: Final = object()


class Killed(BaseException):
    """Raised in a killed writer, in place of its next call. The core must not catch it."""


class Escaped(Exception):  # noqa: N818 - it reports a broken guarantee
    """An error of a record's code that would have ended the process."""


class Thread(greenlet):
    """A greenlet that knows what observes the records which it processes."""

    observer: Observer


@dataclass(eq=False, slots=True)
class Task:
    """Code that runs from pause to pause. `asleep`: stalled until it is woken, without noticing."""

    name: str
    thread: Thread = field(default_factory=Thread)
    asleep: bool = False
    died: bool = False
    failure: BaseException | None = None

    @property
    def ended(self) -> bool:
        return self.died or bool(self.thread.dead)


@dataclass(eq=False, slots=True)
class Scheduler:
    """Runs tasks one step at a time, from pause to pause. Tasks that are asleep are not run."""

    tasks: list[Task] = field(default_factory=list)
    died: list[Task] = field(default_factory=list)
    current: Task | None = None
    closed: bool = False
    hub: Final[greenlet] = field(default_factory=getcurrent)

    def spawn(self, name: str, work: Callable[[], None], observer: Observer | None = None) -> Task:
        """Return a new task, which has not started."""
        task = Task(name)
        task.thread = Thread(lambda: self._guarded(task, work), self.hub)
        task.thread.observer = observer or Observer()
        self.tasks.append(task)
        return task

    def pause(self) -> None:
        """Called by a task to let others run."""
        if self.closed:  # code that caught the end of its greenlet must not go on
            raise GreenletExit
        self.hub.switch()

    def die(self) -> None:
        """Called by a task whose process ends at once, or hangs for good. Does not return."""
        self.hub.switch(DIED)
        raise GreenletExit

    def run(self, task: Task) -> None:
        """Run a task to its next pause. Raises an error of the task, but not Killed."""
        self.current = task
        task.died = task.thread.switch() is DIED
        self.current = None
        if task.ended:
            self.tasks.remove(task)
            if task.died:
                self.died.append(task)
        if isinstance(task.failure, Exception):
            raise task.failure
        if task.failure is not None:
            raise Escaped(f"{task.failure!r} has escaped") from task.failure

    def kill(self, task: Task) -> None:
        """End a task at its current pause."""
        if task in self.tasks:
            if task.thread:  # a task that has not started has no frame to raise in
                task.thread.throw(Killed)
            self.tasks.remove(task)

    def awake(self) -> list[Task]:
        return [task for task in self.tasks if not task.asleep]

    def close(self) -> None:
        """End every task, so that none continues when it is garbage collected."""
        self.closed = True
        for task in (*self.tasks, *self.died):
            if task.thread:
                task.thread.throw(GreenletExit)
        self.tasks.clear()

    def _guarded(self, task: Task, work: Callable[[], None]) -> None:
        try:
            work()
        except (Killed, GreenletExit):
            pass
        except BaseException as error:  # noqa: BLE001 - raised again by `run`, on the stack of the schedule
            task.failure = None if self.closed else error
