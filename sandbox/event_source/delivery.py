"""Delivering one batch: invoke, retry the same bytes, give up.

Follows AWS, "Configuring error handling controls for Kafka event sources": an error retries the whole batch; a
batch above the payload limit is never sent (the null `responseContext` of MaximumPayloadSizeExceeded implies it);
without a destination what was given up is dropped.

Undocumented, so chosen here: a batch's age is checked before every attempt; a destination that fails is tried again
until it works, since dropping it would hide the failure.
"""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from itertools import count
from threading import Event
from typing import Final
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.event_source.discarded import Condition, DiscardedBatch
from sandbox.event_source.event import PAYLOAD_LIMIT, RecordBatch
from sandbox.event_source.outcome import InvocationOutcome, Ok
from sandbox.event_source.retry_policy import RetryPolicy
from sandbox.event_source.stats import StatsCounter

LOG: Final = logging.getLogger(__name__)


class BatchOutcome(Enum):
    """How a batch ended. Abandoned batches are not committed."""

    DONE = auto()
    GIVEN_UP = auto()
    ABANDONED = auto()  # the event source stops


@dataclass(frozen=True, slots=True)
class BatchDelivery:
    """`invoke` runs the function, `store` writes a discarded batch to the destination, `stopping` ends all waiting."""

    invoke: Callable[[bytes], InvocationOutcome]
    store: Callable[[DiscardedBatch], None] | None
    retries: RetryPolicy
    stopping: Event
    stats: StatsCounter

    def deliver(self, batch: RecordBatch, event: bytes) -> BatchOutcome:
        """Return when the batch has ended, which may be never."""
        if len(event) > PAYLOAD_LIMIT:
            return self._give_up(batch, event, Condition.TOO_LARGE, 0)
        for attempt in count(1):
            if self.retries.is_too_old(batch, time.time()):
                return self._give_up(batch, event, Condition.TOO_OLD, attempt - 1)
            if self._attempt(event, attempt):
                return BatchOutcome.DONE
            if not self.retries.allows(attempt, destination=self.store is not None):
                return self._give_up(batch, event, Condition.RETRIES, attempt)
            if self._pause(attempt):
                break
        return BatchOutcome.ABANDONED

    def _attempt(self, event: bytes, attempt: int) -> bool:
        began = time.monotonic()
        outcome = self.invoke(event)
        self.stats.took(time.monotonic() - began)
        succeeded = isinstance(outcome, Ok)
        if not succeeded:
            LOG.info("attempt %d failed: %s", attempt, outcome)
        self.stats.count(invocations=1, retries=int(attempt > 1), failures=int(not succeeded))
        return succeeded

    def _give_up(self, batch: RecordBatch, event: bytes, condition: Condition, invocations: int) -> BatchOutcome:
        discarded = DiscardedBatch(batch, event, condition, invocations, datetime.now(UTC), uuid4())
        for attempt in count(1):
            if self._stored(discarded):
                self.stats.count(given_up=1)
                return BatchOutcome.GIVEN_UP
            if self._pause(attempt):
                break
        return BatchOutcome.ABANDONED

    def _stored(self, discarded: DiscardedBatch) -> bool:
        try:
            if self.store is not None:
                self.store(discarded)
        except (BotoCoreError, ClientError):
            return False
        return True

    def _pause(self, attempt: int) -> bool:
        """Wait before the next attempt; True if the event source stops."""
        return self.stopping.wait(self.retries.backoff.delay(attempt, random.random()))  # noqa: S311 - jitter
