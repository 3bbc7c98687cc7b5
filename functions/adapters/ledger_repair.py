"""What operators change in the ledger on DynamoDB, each with a condition on what they were shown.

ledger_items and counters describe its two tables.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from functions.adapters import ledger_items as items
from functions.adapters.conditional import transacted, updated
from functions.adapters.counters import adds
from functions.core.effects import Count
from functions.core.intent import Gap
from functions.core.ports import DurableStop, Position, Source

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

IS_STOP: Final = "#stop = :stop"
FORGOTTEN: Final = ("day", "object", "owner", "suspect", "stop", "accepted", "window", "topic_id")
GAPS_PER_TRANSACTION: Final = 99  # of 100 items, one is the position


@dataclass(frozen=True, slots=True)
class DynamoLedgerRepair:
    """See operator_ports.LedgerRepair."""

    dynamodb: "DynamoDBClient"
    table: str
    counters: str

    def resume(self, source: Source, stop: DurableStop, resumed: Position) -> bool:
        """See operator_ports.LedgerRepair. One request."""
        update = "SET #newest = :newest, #accepted = :accepted, #window = :window REMOVE #stop"
        update += ", #topic_id" if resumed.topic_id is None else ""
        return self._update(source, update, items.resumption(resumed) | _stop(stop))

    def fence(self, source: Source, stop: DurableStop) -> bool:
        """See operator_ports.LedgerRepair. One request."""
        return self._update(source, "ADD #fence :one REMOVE #owner", {":one": {"N": "1"}} | _stop(stop))

    def _update(self, source: Source, update: str, values: dict[str, Any]) -> bool:
        return updated(self.dynamodb, items.conditional_update(self.table, source, update, IS_STOP, values))

    def retract(self, source: Source, stopped: Position, counts: Sequence[Count]) -> bool:
        """See operator_ports.LedgerRepair. One transaction."""
        back = self._change(source, stopped, "SET #step = :back", {":back": {"N": str(stopped.step - 1)}})
        negative = [count.negated() for count in counts]
        return self._transact([{"Update": back}, *adds(self.counters, source, negative)])

    def rewind(self, source: Source, position: Position, to: int, gaps: Sequence[Gap]) -> bool:
        """See operator_ports.LedgerRepair. One transaction for each 99 gaps."""
        writes = [self._forget(source, gap, to) for gap in gaps if gap.last >= to]
        while len(writes) > GAPS_PER_TRANSACTION:
            check = self._change(source, position, "", {})
            del check["UpdateExpression"]
            if not self._transact([{"ConditionCheck": check}, *writes[:GAPS_PER_TRANSACTION]]):
                return False
            del writes[:GAPS_PER_TRANSACTION]
        update = "SET #next = :to, #step = :zero ADD #fence :one REMOVE " + ", ".join(f"#{name}" for name in FORGOTTEN)
        values = {":to": {"N": str(to)}, ":zero": {"N": "0"}, ":one": {"N": "1"}}
        return self._transact([{"Update": self._change(source, position, update, values)}, *writes])

    def _change(self, source: Source, position: Position, update: str, values: dict[str, Any]) -> Any:  # noqa: ANN401
        """Return an update, or without one a check, on condition that the item is that of `position`, its stop too."""
        condition, expected = items.unchanged(position)
        if position.stop is None:
            condition += f" AND {items.NOT_STOPPED}"
        else:
            condition, expected = f"{condition} AND {IS_STOP}", expected | _stop(position.stop)
        return items.conditional_update(self.table, source, update, condition, expected | values)

    def _forget(self, source: Source, gap: Gap, to: int) -> "TransactWriteItemTypeDef":
        """Return the write that removes a gap from `to` on."""
        if gap.first < to:
            return {"Put": items.put_gap(self.table, source, Gap(gap.first, to - 1))}
        return {"Delete": {"TableName": self.table, "Key": items.gap_key(source, gap)}}

    def _transact(self, writes: "Sequence[TransactWriteItemTypeDef]") -> bool:
        return transacted(self.dynamodb, (self.table, self.counters), writes)


def _stop(stop: DurableStop) -> dict[str, Any]:
    return {":stop": items.stop_attribute(stop)}
