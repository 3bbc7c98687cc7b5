"""What a lane does with a batch: makes the event, and brings it to its end in the lane's own environment."""

from dataclasses import dataclass
from threading import Event

from functions.local.event_source.delivery import Delivery, Ending
from functions.local.event_source.destination import Destination
from functions.local.event_source.environment import Environment
from functions.local.event_source.event import Batch, payload
from functions.local.event_source.mapping import Mapping
from functions.local.event_source.outcome import Outcome
from functions.local.event_source.stats import Tally


@dataclass(frozen=True, slots=True)
class Invoker:
    """For one thread, as its environment is; `stopping` ends its waiting."""

    mapping: Mapping
    environment: Environment
    destination: Destination | None
    stopping: Event
    tally: Tally

    def deliver(self, batch: Batch) -> Ending:
        """Returns when the batch has ended, which may be never."""
        event = payload(batch, self.mapping.event_source_arn, self.mapping.bootstrap)
        store = self.destination.put if self.destination else None
        return Delivery(self._invoke, store, self.mapping.patience, self.stopping, self.tally).deliver(batch, event)

    def _invoke(self, event: bytes) -> Outcome:
        before = self.environment.started
        outcome = self.environment.invoke(event, self.mapping.timeout)
        self.tally.count(environments=self.environment.started - before)
        return outcome
