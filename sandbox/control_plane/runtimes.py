"""The two runtimes of a pipeline on this machine, each of which can be enabled and disabled again and again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Protocol


class Switchable(Protocol):
    """A runtime on this machine."""

    @property
    def running(self) -> bool:
        """Whether it reads records, or is about to."""

    def start(self) -> None:
        """Begin to read records."""

    def stop(self) -> None:
        """End what is in flight, and leave the group; returns when that is done."""


@dataclass
class Switch:
    """Carries out one request at a time, in a thread. `enabled` is what was requested last."""

    runtime: Switchable
    enabled: bool
    busy: bool = False
    _lock: Lock = field(default_factory=Lock)

    def set(self, *, enabled: bool) -> None:
        """Request a state; `busy` until it is carried out."""
        with self._lock:
            if enabled == self.enabled:
                return
            self.enabled, self.busy = enabled, True
            Thread(
                target=self._carry_out, args=[self.runtime.start if enabled else self.runtime.stop], daemon=True
            ).start()

    def _carry_out(self, request: Callable[[], None]) -> None:
        try:
            request()
        finally:
            self.busy = False


@dataclass(frozen=True, slots=True)
class PipelineRuntimes:
    """The two runtimes of one pipeline."""

    topic: str
    msk: Switch
    worker: Switch
