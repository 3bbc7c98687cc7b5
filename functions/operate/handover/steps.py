"""The steps of a handover. Each does only what the world still lacks, and waits until the world shows it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from functions.core.errors import Refused, Unavailable
from functions.core.handover_ports import Runtime, SwitchStatus
from functions.operate.context import OperatorContext
from functions.operate.handover.claim import HeldClaim
from functions.operate.status.partition_status import inspect_partitions
from functions.operate.terminal import Terminal

POLL_SECONDS: Final = 1.0
STILL_SECONDS: Final = 5.0  # that the ledger must not move: invocations in flight may outlast the mapping's last poll


class StepFailed(Exception):  # noqa: N818 - an outcome, caught by the run
    """A step did not succeed within its time; the text says which and what was seen last."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of one run. `timeout`: seconds that each wait may take."""

    context: OperatorContext
    terminal: Terminal
    held: HeldClaim
    timeout: float

    def say(self, text: str) -> None:
        """Print a step's result."""
        self.terminal.say(text)

    def status(self, runtime: Runtime) -> SwitchStatus:
        """Return whether a runtime is enabled."""
        return self.context.switches[runtime].state().status

    def positions(self) -> dict[int, int]:
        """Return the ledger's next offset of each partition."""
        pipeline = self.context.pipeline
        positions = self.context.ledger_listing.positions(pipeline.name, pipeline.topic)
        return {number: position.next for number, position in positions.items()}

    def disable(self, runtime: Runtime) -> None:
        """Disable a runtime, and wait until it is."""
        self._set(runtime, SwitchStatus.DISABLED, self.context.switches[runtime].disable)

    def enable(self, runtime: Runtime) -> None:
        """Enable a runtime, and wait until it is."""
        self._set(runtime, SwitchStatus.ENABLED, self.context.switches[runtime].enable)

    def wait_until_still(self) -> None:
        """Wait until the group is empty and the ledger has not moved for STILL_SECONDS."""
        since, last = self.terminal.clock(), self.positions()

        def is_still() -> str | None:
            nonlocal since, last
            has_members, now, current = self.context.brokers.has_members(), self.terminal.clock(), self.positions()
            if has_members or current != last:
                since, last = now, current
            if has_members:
                return f"the group {self.context.group} still has members"
            return None if now - since >= STILL_SECONDS else "the ledger still moves"

        self._until(is_still)
        self.say("the group is empty and the ledger is still")

    def wait_for_progress(self, runtime: Runtime, before: Mapping[int, int]) -> None:
        """Wait until a runtime is in the group, and has moved the ledger or has nothing to do."""

        def has_progress() -> str | None:
            state = self.context.switches[runtime].state()
            if not self.context.brokers.has_members():
                return f"{runtime} is not in the group yet ({state.detail})"
            if any(next_ > before.get(number, 0) for number, next_ in self.positions().items()):
                return None
            partitions, error = inspect_partitions(self.context)
            waiting = [each for each in partitions if each.lag and not each.stop and not each.went_back]
            if error is None and not waiting:
                return None
            numbers = ", ".join(str(each.partition) for each in waiting)
            return f"{runtime} settles nothing on partition {numbers or '?'} ({state.detail})"

        self._until(has_progress)
        self.say(f"{runtime} settles")

    def _set(self, runtime: Runtime, wanted: SwitchStatus, request: Callable[[], None]) -> None:
        requested = False

        def is_set() -> str | None:
            nonlocal requested
            state = self.context.switches[runtime].state()
            if not requested and state.status is not wanted:
                request()
                requested = True
                state = self.context.switches[runtime].state()
            return None if state.status is wanted else f"{runtime} is not {wanted} yet ({state.detail})"

        self._until(is_set)
        self.say(f"{runtime} is {wanted}" if requested else f"{runtime} is {wanted} already")

    def _until(self, missing: Callable[[], str | None]) -> None:
        """Repeat `missing` until it returns None. StepFailed after the timeout, or when a service refuses."""
        end = self.terminal.clock() + self.timeout
        said = ""
        while True:
            self.held.show_life()
            try:
                why = missing()
            except Unavailable as error:
                why = str(error)
            except Refused as error:
                raise StepFailed(str(error)) from None
            if why is None:
                return
            if self.terminal.clock() >= end:
                raise StepFailed(f"{why}, after {self.timeout:g} s")
            if why != said:
                self.say(f"waiting: {why}")
                said = why
            self.terminal.wait(POLL_SECONDS)
