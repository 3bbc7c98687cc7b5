"""The settings with which a Kafka topic is created. It always has three replicas, one per zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

REPLICAS: Final = 3


@dataclass(frozen=True, slots=True)
class TopicConfig:
    """The settings of a topic."""

    partitions: int = 12  # divisible by three zones and by two, three, four or six workers
    """Its partitions. Adding some later moves keys to other partitions (KAFKA-20539): start with enough."""

    retention_hours: int = 7 * 24
    """How long it keeps records."""

    min_insync_replicas: int = 2
    """How many of its three replicas have a record before the producer's write is acknowledged."""

    local_retention_hours: int | None = None
    """How long records stay on the brokers before only MSK's cheaper storage has them, on a cluster with
    `tiered_storage`. Without one, and without this setting, they stay for `retention_hours`."""

    def problems(self) -> Iterator[str]:
        """Yield a message for each invalid setting, with its name and value."""
        if self.partitions < 1:
            yield f"partitions: expected at least 1, got {self.partitions}"
        if self.retention_hours < 1:
            yield f"retention_hours: expected at least 1, got {self.retention_hours}"
        local = self.local_retention_hours
        if local is not None and not 1 <= local < self.retention_hours:
            yield f"local_retention_hours: expected 1 to less than retention_hours, {self.retention_hours}, got {local}"
        if not 1 <= self.min_insync_replicas < REPLICAS:
            yield f"min_insync_replicas: expected 1 or 2 of {REPLICAS} replicas, got {self.min_insync_replicas}"
