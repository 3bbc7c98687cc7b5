"""How a Kafka topic is laid out: for whoever creates it. Three replicas always, one in each zone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

REPLICAS: Final = 3


@dataclass(frozen=True, slots=True)
class TopicConfig:
    """The settings of a topic.

    More partitions later change which partition a key goes to (KAFKA-20539): begin with enough.
    """

    partitions: int = 12  # divisible by three zones and by two, three, four or six workers
    retention_hours: int = 7 * 24
    min_insync_replicas: int = 2

    def problems(self) -> Iterator[str]:
        """What is wrong with it."""
        if self.partitions < 1:
            yield f"partitions: takes 1 or more, got {self.partitions}"
        if self.retention_hours < 1:
            yield f"retention_hours: takes 1 or more, got {self.retention_hours}"
        if not 1 <= self.min_insync_replicas < REPLICAS:
            yield f"min_insync_replicas: takes 1 or 2 of {REPLICAS} replicas, got {self.min_insync_replicas}"
