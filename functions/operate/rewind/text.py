"""The state of a partition, and what a rewind means, as text."""

from typing import Final

from functions.operate.formatting import kafka_time
from functions.operate.rewind.rules import PartitionSnapshot

MEANING: Final = """\
Records from {to} on will be processed as new ones. The effects of the old log's records stay: rows, counts, messages.
Rows and messages of both logs may name the same topic, partition and offset."""


def snapshot_text(snapshot: PartitionSnapshot) -> str:
    """Return the state of the ledger, the log and the group, and what a rewind means."""
    position, bounds = snapshot.position, snapshot.bounds
    newest = f"of {kafka_time(position.newest)}" if position.newest >= 0 else "none"
    newer = "none" if snapshot.first_newer is None else f"from {snapshot.first_newer} on"
    stop = position.stop
    stopped = "not stopped" if stop is None else f"stopped: {stop.reason.value}; a rewind ends the stop"
    committed = "nothing" if snapshot.committed is None else str(snapshot.committed)
    return "\n".join([
        f"ledger  next {position.next}; newest settled record {newest}; {stopped}",
        f"log     holds [{bounds.low}, {bounds.high}); records newer than that: {newer}",
        f"group   has committed {committed}; {'has members' if snapshot.has_members else 'has no members'}",
        MEANING.format(to=snapshot.to),
    ])  # fmt: skip
