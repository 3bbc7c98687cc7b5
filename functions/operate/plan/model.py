"""What a pipeline costs on each runtime in an hour of some rate, how late its effects are, and what it can carry.

The arithmetic, for one hour at `rate` records/s:

    slices/s      = rate / slice_records, at least partitions / gather seconds, at most rate
    vCPU          = rate * CPU seconds of a record (measured.py, with the cost of a slice spread over its records)
    worker $      = pods / 2 * node hour, pods = vCPU / USE rounded up, at least the configured minimum
    Lambda $      = invocations * seconds * GB * GB-second + invocations + poller units
    stores $      = writes (rows, ledger, counters) and puts (lake objects, dead letters)

Kafka, the network and storage cost the same on both, and are left out. Latency is that of a record that arrives just
after a slice began to gather: gather seconds, then SETTLE_SECONDS on real stores.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, inf
from typing import Any, Final

from functions.core.pipeline import AnyPipeline
from functions.operate.plan.measured import RecordCosts
from functions.operate.plan.prices import (
    GB_SECOND,
    INVOCATIONS,
    NODE,
    POLLER_UNIT,
    PUTS,
    WRITES,
    RegionPrices,
)

USE: Final = 0.7  # of a core, so that a backlog shrinks
SETTLE_SECONDS: Final = 1.0  # of a slice, on real stores: what the costs page counts, too
HOUR: Final = 3600
VCPU_MEMORY_MIB: Final = 1769  # Lambda's memory with one vCPU
TRANSACTION: Final = 2  # write units for each item of a transaction
COUNTS: Final = 5  # items of a counter sink in a slice: one minute, five groups
NODE_VCPU: Final = 2
UNIT_BYTES: Final = 20_000_000  # a second, of one poller unit
MEBI: Final = 1024


@dataclass(frozen=True, slots=True)
class PipelineShape:
    """What a pipeline declares and a stage configures, as far as it costs something."""

    partitions: int
    tables: int
    counters: int
    has_lake: bool
    record_bytes: int = 200
    keys: float = 0.1
    """Distinct keys of a slice / its records."""

    rejects: float = 0.0
    """Share of the records."""

    slice_records: int = 10_000
    slice_seconds: float = 5.0
    """How long a worker gathers a slice."""

    window_seconds: float = 1.0
    """Lambda's batching window."""

    batch_records: int = 5_000
    memory_mib: int = VCPU_MEMORY_MIB
    has_poller_units: bool = False
    """Whether the mapping is in provisioned mode."""

    min_pods: int = 3
    max_pods: int = 24

    @classmethod
    def of(cls, pipeline: AnyPipeline, **configured: Any) -> "PipelineShape":  # noqa: ANN401 - of the fields
        """Return the shape of a pipeline with what a stage configures; the rest is as this class has it."""
        return cls(
            partitions=pipeline.topic_config.partitions, tables=len(pipeline.tables), counters=len(pipeline.counters),
            has_lake=pipeline.has_lake, slice_records=pipeline.limits.slice_records,
            slice_seconds=pipeline.limits.slice_seconds, **configured,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class HourCost:
    """US dollars of an hour by part; `latency` in seconds, `capacity` in records/s."""

    parts: Mapping[str, float]
    latency: float
    capacity: float

    @property
    def dollars(self) -> float:
        """The sum of the parts."""
        return sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class CostModel:
    """The model of one pipeline in one region."""

    shape: PipelineShape
    costs: RecordCosts
    prices: RegionPrices

    def worker(self, rate: float) -> HourCost:
        """Return an hour on the workers."""
        shape = self.shape
        slices = self._slices(rate, shape.slice_seconds)
        cpu = self.costs.worker(shape.keys, shape.rejects, rate / slices if slices else 1) / 1e6
        pods = max(shape.min_pods, ceil(rate * cpu / USE))
        nodes = pods / NODE_VCPU * self.prices.prices[NODE]
        most = min(shape.max_pods, shape.partitions) * USE / self._full(self.costs.worker)
        return HourCost({"nodes": nodes, **self._stores(rate, slices)}, shape.slice_seconds + SETTLE_SECONDS, most)

    def function(self, rate: float) -> HourCost:
        """Return an hour on Lambda."""
        shape, price = self.shape, self.prices.prices
        slices = self._slices(rate, shape.window_seconds)
        cpu = self.costs.handler(shape.keys, shape.rejects, rate / slices if slices else 1) / 1e6
        cpu *= max(1.0, VCPU_MEMORY_MIB / shape.memory_mib)
        invocations = self._invocations(rate)
        seconds = max(SETTLE_SECONDS, rate / invocations * cpu) if invocations else 0.0
        gigabytes = shape.memory_mib / MEBI
        units = max(1, ceil(rate * shape.record_bytes / UNIT_BYTES)) if shape.has_poller_units else 0
        parts = {
            "duration": invocations * HOUR * seconds * gigabytes * price[GB_SECOND],
            "invocations": invocations * HOUR / 1e6 * price[INVOCATIONS],
            "poller units": units * price[POLLER_UNIT],
            **self._stores(rate, slices),
        }
        most = shape.partitions * USE / self._full(self.costs.handler) / max(1.0, VCPU_MEMORY_MIB / shape.memory_mib)
        return HourCost(parts, shape.window_seconds + SETTLE_SECONDS, most)

    def _full(self, cost: Callable[[float, float, float], float]) -> float:
        """Return the CPU seconds of a record in a full slice."""
        return cost(self.shape.keys, self.shape.rejects, self.shape.slice_records) / 1e6

    def _slices(self, rate: float, gather: float) -> float:
        """Return slices per second: full ones, or one of each partition whenever it has gathered long enough."""
        often = self.shape.partitions / gather if gather else inf
        return min(rate, max(rate / self.shape.slice_records, often))

    def _invocations(self, rate: float) -> float:
        """Return invocations per second: full batches, or one whenever the window ends."""
        often = 1 / self.shape.window_seconds if self.shape.window_seconds else inf
        return min(rate, max(rate / self.shape.batch_records, often))

    def _stores(self, rate: float, slices: float) -> dict[str, float]:
        shape, price = self.shape, self.prices.prices
        rows = rate * shape.keys * (1 - shape.rejects) * shape.tables
        writes = rows + slices * (1 + TRANSACTION * (1 + COUNTS * shape.counters))
        puts = slices * shape.has_lake + rate * shape.rejects
        return {
            "DynamoDB writes": writes * HOUR / 1e6 * price[WRITES],
            "S3 puts": puts * HOUR / 1e6 * price[PUTS],
        }
