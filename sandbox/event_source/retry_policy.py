"""How long an event source keeps trying a batch.

Follows AWS, "Configuring error handling controls for Kafka event sources": retry attempts do not count the first
attempt and are infinite by default, as is the record age; and "Using a Kafka topic as an on-failure destination":
infinite retries together with a destination are capped at 10. In AWS both settings need provisioned mode.

Undocumented, so chosen here: the times between retries; a batch is as old as its oldest record.
"""

from dataclasses import dataclass, field
from typing import Final

from functions.core.backoff import Backoff
from sandbox.event_source.event import RecordBatch

CAPPED_RETRIES: Final = 10


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long to try. None means without limit; `max_record_age` is in seconds."""

    retry_attempts: int | None = None
    max_record_age: float | None = None
    backoff: Backoff = field(default_factory=Backoff)

    def allows(self, retry: int, *, destination: bool) -> bool:
        """Whether retry number 1, 2, ... is allowed."""
        limit = CAPPED_RETRIES if self.retry_attempts is None and destination else self.retry_attempts
        return limit is None or retry <= limit

    def is_too_old(self, batch: RecordBatch, now: float) -> bool:
        """Whether the batch is too old at `now`, in seconds since 1970."""
        return self.max_record_age is not None and now - batch.oldest() / 1000 > self.max_record_age
