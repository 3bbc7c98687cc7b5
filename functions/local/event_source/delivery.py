"""Bringing one batch to an end: invoke, retry the same bytes, give up.

Follows AWS, "Configuring error handling controls for Kafka event sources": an error retries the whole batch; a
batch above the payload limit is never sent (the null `responseContext` of MaximumPayloadSizeExceeded implies it);
without a destination what was given up is dropped.

Undocumented, so chosen here: a batch's age is checked before every attempt; a destination that fails is tried again
until it works, since dropping would hide it.
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

from functions.local.event_source.event import PAYLOAD_LIMIT, Batch
from functions.local.event_source.failure import Condition, GivenUp
from functions.local.event_source.outcome import Ok, Outcome
from functions.local.event_source.patience import Patience
from functions.local.event_source.stats import Tally

LOG: Final = logging.getLogger(__name__)


class Ending(Enum):
    """How a batch ended. Only an abandoned one is not committed."""

    DONE = auto()
    GIVEN_UP = auto()
    ABANDONED = auto()  # the event source stops


@dataclass(frozen=True, slots=True)
class Delivery:
    """`invoke` runs the function, `store` puts what was given up into the destination, `stopping` ends all waiting."""

    invoke: Callable[[bytes], Outcome]
    store: Callable[[GivenUp], None] | None
    patience: Patience
    stopping: Event
    tally: Tally

    def deliver(self, batch: Batch, event: bytes) -> Ending:
        """Returns when the batch has ended, which may be never."""
        if len(event) > PAYLOAD_LIMIT:
            return self._give_up(batch, event, Condition.TOO_LARGE, 0)
        for attempt in count(1):
            if self.patience.outlived_by(batch, time.time()):
                return self._give_up(batch, event, Condition.TOO_OLD, attempt - 1)
            if self._attempt(event, attempt):
                return Ending.DONE
            if not self.patience.allows(attempt, destination=self.store is not None):
                return self._give_up(batch, event, Condition.RETRIES, attempt)
            if self._pause(attempt):
                break
        return Ending.ABANDONED

    def _attempt(self, event: bytes, attempt: int) -> bool:
        began = time.monotonic()
        outcome = self.invoke(event)
        self.tally.took(time.monotonic() - began)
        succeeded = isinstance(outcome, Ok)
        if not succeeded:
            LOG.info("attempt %d failed: %s", attempt, outcome)
        self.tally.count(invocations=1, retries=int(attempt > 1), failures=int(not succeeded))
        return succeeded

    def _give_up(self, batch: Batch, event: bytes, condition: Condition, invocations: int) -> Ending:
        given_up = GivenUp(batch, event, condition, invocations, datetime.now(UTC), uuid4())
        for attempt in count(1):
            if self._stored(given_up):
                self.tally.count(given_up=1)
                return Ending.GIVEN_UP
            if self._pause(attempt):
                break
        return Ending.ABANDONED

    def _stored(self, given_up: GivenUp) -> bool:
        try:
            if self.store is not None:
                self.store(given_up)
        except (BotoCoreError, ClientError):
            return False
        return True

    def _pause(self, attempt: int) -> bool:
        """Wait before the next attempt; true if the event source stops."""
        return self.stopping.wait(self.patience.backoff.delay(attempt, random.random()))  # noqa: S311 - jitter
