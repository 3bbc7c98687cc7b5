"""Lambda's event source mapping of a pipeline, as the switch of the runtime `msk`.

Follows AWS, "Lambda API reference": a mapping's states are Creating, Enabling, Enabled, Disabling, Disabled, Updating
and Deleting, and it accepts no change while it is in another state than Enabled or Disabled (ResourceInUseException).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from functions.adapters.aws_errors import calling, code
from functions.core.errors import Refused, Unavailable
from functions.core.handover_ports import SwitchState, SwitchStatus

STATUSES: Final = {"Enabled": SwitchStatus.ENABLED, "Disabled": SwitchStatus.DISABLED}
IN_USE: Final = "ResourceInUseException"
NOT_FOUND: Final = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class MappingSwitch:
    """See handover_ports.RuntimeSwitch. `function` is a function's name with its alias; `client` returns Lambda's."""

    client: Callable[[], Any]
    function: str
    topic: str

    def state(self) -> SwitchState:
        """See handover_ports.RuntimeSwitch."""
        mapping = self._mapping()
        if mapping is None:
            return SwitchState(SwitchStatus.MISSING, f"no event source mapping of {self.function} for {self.topic}")
        result = str(mapping.get("LastProcessingResult") or "")
        problem = f", {result}" if result.startswith("PROBLEM") else ""
        state = str(mapping["State"])
        return SwitchState(STATUSES.get(state, SwitchStatus.CHANGING), f"mapping {state}{problem}")

    def enable(self) -> None:
        """See handover_ports.RuntimeSwitch."""
        self._set(enabled=True)

    def disable(self) -> None:
        """See handover_ports.RuntimeSwitch."""
        self._set(enabled=False)

    def _set(self, *, enabled: bool) -> None:
        mapping = self._mapping()
        if mapping is None:
            raise Refused(f"function {self.function}: no event source mapping for {self.topic}")
        with calling(f"event source mapping {mapping['UUID']}"):
            try:
                self.client().update_event_source_mapping(UUID=mapping["UUID"], Enabled=enabled)
            except ClientError as error:
                if code(error) == IN_USE:
                    raise Unavailable(f"event source mapping {mapping['UUID']}: another change is under way") from None
                raise

    def _mapping(self) -> Mapping[str, Any] | None:
        """Return the mapping that is not being deleted."""
        with calling(f"function {self.function}"):
            try:
                pages = self.client().get_paginator("list_event_source_mappings").paginate(FunctionName=self.function)
                mappings = [mapping for page in pages for mapping in page["EventSourceMappings"]]
            except ClientError as error:
                if code(error) != NOT_FOUND:
                    raise
                return None
        of_topic = [each for each in mappings if self.topic in each.get("Topics", ()) and each["State"] != "Deleting"]
        if len(of_topic) > 1:
            uuids = ", ".join(sorted(each["UUID"] for each in of_topic))
            raise Refused(f"function {self.function}: expected one mapping for {self.topic}, got {uuids}")
        return of_topic[0] if of_topic else None
