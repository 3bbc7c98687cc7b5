"""Twins in memory of the handover's ports, under the same contract tests as the real ones."""

from dataclasses import dataclass, field

from functions.core.errors import Refused
from functions.core.handover_ports import HandoverClaim, Runtime, SwitchState, SwitchStatus


@dataclass
class MemorySwitch:
    """See handover_ports.RuntimeSwitch. `exists`: whether there is something to switch."""

    enabled: bool = False
    exists: bool = True

    def state(self) -> SwitchState:
        """See handover_ports.RuntimeSwitch."""
        if not self.exists:
            return SwitchState(SwitchStatus.MISSING, "not deployed")
        return SwitchState(SwitchStatus.ENABLED if self.enabled else SwitchStatus.DISABLED, "in memory")

    def enable(self) -> None:
        """See handover_ports.RuntimeSwitch."""
        self._set(enabled=True)

    def disable(self) -> None:
        """See handover_ports.RuntimeSwitch."""
        self._set(enabled=False)

    def _set(self, *, enabled: bool) -> None:
        if not self.exists:
            raise Refused("not deployed")
        self.enabled = enabled


@dataclass
class MemoryHandoverClaims:
    """See handover_ports.HandoverClaims."""

    claim: HandoverClaim | None = None

    def read(self) -> HandoverClaim | None:
        """See handover_ports.HandoverClaims."""
        return self.claim

    def put(self, claim: HandoverClaim, expected: HandoverClaim | None) -> bool:
        """See handover_ports.HandoverClaims."""
        if self.claim not in {expected, claim}:
            return False
        self.claim = claim
        return True

    def remove(self, claim: HandoverClaim) -> bool:
        """See handover_ports.HandoverClaims."""
        if self.claim != claim:
            return False
        self.claim = None
        return True


@dataclass
class MemoryChoice:
    """See handover_ports.RuntimeChoice."""

    runtime: Runtime | None = field(default=None)

    def read(self) -> Runtime | None:
        """See handover_ports.RuntimeChoice."""
        return self.runtime

    def write(self, runtime: Runtime) -> None:
        """See handover_ports.RuntimeChoice."""
        self.runtime = runtime
