"""Turns a batch into an event, and delivers it in the environment of its partition queue."""

from dataclasses import dataclass
from threading import Event

from sandbox.event_source.delivery import BatchDelivery, BatchOutcome
from sandbox.event_source.destination import Destination
from sandbox.event_source.environment import Environment
from sandbox.event_source.event import RecordBatch, payload
from sandbox.event_source.mapping import EventSourceMapping
from sandbox.event_source.outcome import InvocationOutcome
from sandbox.event_source.stats import StatsCounter


@dataclass(frozen=True, slots=True)
class BatchInvoker:
    """For one thread, like its environment; `stopping` ends its waiting."""

    mapping: EventSourceMapping
    environment: Environment
    destination: Destination | None
    stopping: Event
    stats: StatsCounter

    def deliver(self, batch: RecordBatch) -> BatchOutcome:
        """Return when the batch has ended, which may be never."""
        event = payload(batch, self.mapping.event_source_arn, self.mapping.bootstrap)
        store = self.destination.put if self.destination else None
        return BatchDelivery(self._invoke, store, self.mapping.retries, self.stopping, self.stats).deliver(batch, event)

    def _invoke(self, event: bytes) -> InvocationOutcome:
        before = self.environment.started
        outcome = self.environment.invoke(event, self.mapping.timeout)
        self.stats.count(environments=self.environment.started - before)
        return outcome
