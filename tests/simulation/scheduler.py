"""Writers as coroutines that nobody had to write as such: each call of a port hands control to the schedule.

Greenlets and no threads: the core under test is plain code, a switch costs less than a microsecond, and the order of
everything follows from the seed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from greenlet import GreenletExit, getcurrent, greenlet


class Killed(BaseException):
    """What a killed writer meets at the call it was about to make. Nothing in the core may catch it."""


@dataclass(eq=False, slots=True)
class Task:
    """Something that runs between two pauses. `asleep`: stalled until it is woken; it does not know."""

    name: str
    thread: greenlet = field(default_factory=greenlet)
    asleep: bool = False
    failure: Exception | None = None

    @property
    def ended(self) -> bool:
        return bool(self.thread.dead)


@dataclass(eq=False, slots=True)
class Scheduler:
    """Runs tasks one pause at a time. What is not awake stays where it is."""

    tasks: list[Task] = field(default_factory=list)
    current: Task | None = None
    hub: Final[greenlet] = field(default_factory=getcurrent)

    def spawn(self, name: str, work: Callable[[], None]) -> Task:
        """A task that has not begun."""
        task = Task(name)
        task.thread = greenlet(lambda: self._guarded(task, work), self.hub)
        self.tasks.append(task)
        return task

    def pause(self) -> None:
        """Called by a task: let others run."""
        self.hub.switch()

    def run(self, task: Task) -> None:
        """Let a task run to its next pause. Raises what it raised, if that was not for it to raise."""
        self.current = task
        task.thread.switch()
        self.current = None
        self._after(task)

    def kill(self, task: Task) -> None:
        """End a task where it stands."""
        if task.thread:  # one that has not begun has nothing to be thrown into
            task.thread.throw(Killed)
        self.tasks.remove(task)

    def awake(self) -> list[Task]:
        return [task for task in self.tasks if not task.asleep]

    def close(self) -> None:
        """Let go of every task, so that none runs on when it is collected."""
        for task in self.tasks:
            if task.thread:
                task.thread.throw(GreenletExit)
        self.tasks.clear()

    def _after(self, task: Task) -> None:
        if task.ended:
            self.tasks.remove(task)
        if task.failure is not None:
            raise task.failure

    @staticmethod
    def _guarded(task: Task, work: Callable[[], None]) -> None:
        try:
            work()
        except Killed:
            pass
        except Exception as error:  # noqa: BLE001 - raised again by `run`, on the stack of the schedule
            task.failure = error
