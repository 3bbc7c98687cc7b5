"""The runtimes of a pipeline, for its status: which one is enabled, and who is in the group.

A service that cannot be asked is an `unknown` with its reason, and never fails the status.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from functions.core.errors import TandemError
from functions.core.handover_ports import Runtime, SwitchState
from functions.core.operator_ports import GroupMember
from functions.operate.context import OperatorContext


@dataclass(frozen=True, slots=True)
class RuntimeStatus:
    """The state of a runtime. `state` is None when it is unknown; `error` says why."""

    runtime: Runtime
    state: SwitchState | None
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the state as JSON values."""
        status, detail = self.state or ("unknown", self.error)
        return {"runtime": self.runtime.value, "status": str(status), "detail": detail}


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """The members of the consumer group. None when they are unknown; `error` says why."""

    members: Sequence[GroupMember] | None
    error: str | None = None

    def as_dict(self) -> list[dict[str, Any]] | None:
        """Return the members as JSON values."""
        if self.members is None:
            return None
        return [{**member._asdict(), "partitions": list(member.partitions)} for member in self.members]


def runtime_statuses(context: OperatorContext) -> Sequence[RuntimeStatus]:
    """Ask both runtimes at the same time."""
    return [*context.pool.map(lambda runtime: _ask(context, runtime), Runtime)]


def _ask(context: OperatorContext, runtime: Runtime) -> RuntimeStatus:
    try:
        return RuntimeStatus(runtime, context.switches[runtime].state())
    except TandemError as error:
        return RuntimeStatus(runtime, None, str(error))


def group_status(context: OperatorContext) -> GroupStatus:
    """Ask the brokers for the group's members."""
    try:
        return GroupStatus(context.brokers.members())
    except TandemError as error:
        return GroupStatus(None, str(error))
