"""The two runtimes of a pipeline on this machine, each of which can be enabled and disabled again and again."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Protocol

from functions.core.handover_ports import Runtime, RuntimeSwitch, SwitchState, SwitchStatus


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
class LocalSwitch:
    """See handover_ports.RuntimeSwitch. For the process that has the runtimes; others use the control plane."""

    switch: Switch

    def state(self) -> SwitchState:
        """See handover_ports.RuntimeSwitch."""
        if self.switch.busy:
            return SwitchState(SwitchStatus.CHANGING, "beginning" if self.switch.enabled else "ending")
        if not self.switch.enabled:
            return SwitchState(SwitchStatus.DISABLED, "not running")
        is_running = self.switch.runtime.running
        return SwitchState(
            SwitchStatus.ENABLED if is_running else SwitchStatus.CHANGING, "running" if is_running else "has ended"
        )

    def enable(self) -> None:
        """See handover_ports.RuntimeSwitch."""
        self.switch.set(enabled=True)

    def disable(self) -> None:
        """See handover_ports.RuntimeSwitch."""
        self.switch.set(enabled=False)


@dataclass(frozen=True, slots=True)
class PipelineRuntimes:
    """The two runtimes of one pipeline."""

    topic: str
    msk: Switch
    worker: Switch

    def switches(self) -> dict[Runtime, RuntimeSwitch]:
        """Return the switch of each runtime."""
        return {Runtime.MSK: LocalSwitch(self.msk), Runtime.WORKER: LocalSwitch(self.worker)}
