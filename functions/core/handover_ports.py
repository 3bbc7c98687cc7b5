"""The ports of a handover: a switch for each runtime, the handover that is under way, and the runtime that was chosen.

Every method may raise Unavailable when a service does not answer, and Refused when it answers no.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol


class Runtime(StrEnum):
    """What delivers a pipeline's records."""

    MSK = "msk"
    WORKER = "worker"

    @property
    def other(self) -> "Runtime":
        """The other runtime."""
        return Runtime.WORKER if self is Runtime.MSK else Runtime.MSK


class SwitchStatus(StrEnum):
    """Whether a runtime reads records. CHANGING: it was told to begin or to end, and has not yet done so."""

    ENABLED = "enabled"
    DISABLED = "disabled"
    CHANGING = "changing"
    MISSING = "missing"


class SwitchState(NamedTuple):
    """The status of a runtime, and what its service says, such as `2 of 3 pods ready`."""

    status: SwitchStatus
    detail: str


class RuntimeSwitch(Protocol):
    """Starts and stops one runtime of one pipeline. Both are requests: `state` says when they are carried out."""

    def state(self) -> SwitchState:
        """Return the present state. MISSING, with what was looked for, if there is nothing to switch."""

    def enable(self) -> None:
        """Begin to read records. Nothing changes if it does already."""

    def disable(self) -> None:
        """Stop reading records, and leave the group once what is in flight has ended."""


class HandoverClaim(NamedTuple):
    """A handover that is under way. `owner` is the run, `seen_at` its last sign of life."""

    target: Runtime
    owner: str
    seen_at: datetime


class HandoverClaims(Protocol):
    """The claim of a pipeline's handover: at most one run holds it."""

    def read(self) -> HandoverClaim | None:
        """Return the claim; None if no handover is under way."""

    def put(self, claim: HandoverClaim, expected: HandoverClaim | None) -> bool:
        """Store a claim if the stored one is `expected`; None expects none. False: it is not, and nothing changed."""

    def remove(self, claim: HandoverClaim) -> bool:
        """Delete the claim if it is still this one. False: it is not, and nothing changed."""


class RuntimeChoice(Protocol):
    """The runtime that the last handover chose, where releases and manifests find it."""

    def read(self) -> Runtime | None:
        """Return the runtime; None if there was no handover yet."""

    def write(self, runtime: Runtime) -> None:
        """Record the runtime."""
