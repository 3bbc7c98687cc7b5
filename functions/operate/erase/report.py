"""What an erasure found and did in each store, and the copies that it does not reach."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from functions.core.pipeline import AnyPipeline


@dataclass(slots=True)
class StoreReport:
    """One store. `found`: letters, batches, versions of lake objects, or items that hold data of the person.

    `parts`: the records, rows, deletes and counts in them. `erased`, `unsettled` (the ledger has not passed their
    records) and `changed` (written again since they were read) are numbers of those found; `mentions` of others.
    `unreadable`: what could not be searched, with the reason.
    """

    store: str
    searched: int = 0
    found: int = 0
    parts: int = 0
    erased: int = 0
    unsettled: int = 0
    changed: int = 0
    mentions: int = 0
    unreadable: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left, as far as is known."""
        return self.found == self.erased and not self.mentions and not self.unreadable


class Copy(NamedTuple):
    """A copy of a person's data that an erasure does not reach, and how long it stays or how it goes."""

    where: str
    until: str


@dataclass(frozen=True, slots=True)
class ErasureReport:
    """Everything that one run found and did."""

    pipeline: str
    column: str
    executed: bool
    stores: list[StoreReport]
    unreached: list[Copy]

    @property
    def is_clean(self) -> bool:
        """Whether nothing is left in the stores that an erasure reaches."""
        return all(store.is_clean for store in self.stores)

    def as_dict(self) -> dict[str, Any]:
        """Return the report for JSON. It does not contain the person's key."""
        return {
            "pipeline": self.pipeline,
            "column": self.column,
            "executed": self.executed,
            "clean": self.is_clean,
            "stores": [asdict(store) for store in self.stores],
            "unreached": [copy._asdict() for copy in self.unreached],
        }


def unreached(pipeline: AnyPipeline, column: str) -> Iterator[Copy]:
    """Yield the copies that a pipeline makes and an erasure does not reach."""
    yield Copy(f"topic {pipeline.topic}", f"retention, {pipeline.topic_config.retention_hours} h as declared")
    for topic in pipeline.topics:
        yield Copy(f"topic {topic.name}", f"retention, {topic.config.retention_hours} h as declared")
    for sink in pipeline.custom_sinks:
        yield Copy(f"{type(sink).__name__} {sink.name}", "delete the rows there")
    for counter in pipeline.counters:
        if column in counter.by:
            yield Copy(f"counter {counter.name}", f"its groups are named after {column}: delete these items")
    if pipeline.dedup is not None:
        yield Copy("table of seen events", "unkeyed hashes of event IDs, which DynamoDB deletes by their TTL")
    if pipeline.tables:
        yield Copy("DynamoDB's point-in-time recovery", "35 days, unless the table's setting says otherwise")
    if pipeline.has_lake:
        yield Copy("Redshift, and other readers of the lake", "delete the rows there")
