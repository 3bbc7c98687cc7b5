"""KEDA's Kafka trigger, as version 2.21 computes its metric, and the autoscaler that reads it.

The source is pkg/scalers/kafka_scaler.go. The autoscaler reads the metric every 15 s and divides it by `lagThreshold`.
A trigger remembers the commits of its last reading.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Final

READ_SECONDS: Final = 15  # the autoscaler's period: kube-controller-manager's --horizontal-pod-autoscaler-sync-period


@dataclass(frozen=True, slots=True)
class Offsets:
    """A partition's offsets: the first retained one, the end, and the group's commit, or None."""

    start: int
    end: int
    commit: int | None


@dataclass
class KafkaScaler:
    """A trigger with this metadata, and the limits of its ScaledObject."""

    metadata: Mapping[str, str]
    least: int
    most: int
    _seen: dict[int, int] = field(default_factory=dict)

    def replicas(self, partitions: Sequence[Offsets]) -> int:
        """Read the partitions once and return the replicas that the autoscaler wants."""
        threshold = int(self.metadata["lagThreshold"])
        lags = [self._lag(number, each) for number, each in enumerate(partitions)]
        total = sum(lags)
        if not self._on("allowIdleConsumers") or self._on("limitToPartitionsWithLag"):
            bound = sum(lag > 0 for lag in lags) if self._on("limitToPartitionsWithLag") else len(lags)
            total = min(total, bound * threshold) if total // threshold > bound else total
        return min(max(ceil(total / threshold), self.least), self.most)

    def _lag(self, number: int, partition: Offsets) -> int:
        if partition.commit is None:
            if self._on("scaleToZeroOnInvalidOffset"):
                return 0
            return partition.end - partition.start if self.metadata["offsetResetPolicy"] == "earliest" else 1
        seen = self._seen.get(number)
        self._seen[number] = partition.commit
        unmoved = seen == partition.commit and self._on("excludePersistentLag")
        return 0 if unmoved else partition.end - partition.commit

    def _on(self, name: str) -> bool:
        return self.metadata.get(name, "false") == "true"
