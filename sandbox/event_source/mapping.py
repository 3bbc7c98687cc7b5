"""The settings of an event source mapping.

Follows AWS, "Amazon MSK event source mapping in Lambda" and "Lambda event source mapping parameters for Kafka": names,
ranges and defaults. Chosen here: `concurrency` is explicit, where AWS decides it; windows and timeouts may be
fractions of a second; and there is a session timeout, how long the group waits for a source that was killed.
"""

from dataclasses import dataclass, field
from typing import Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from sandbox.event_source.function import LambdaFunction
from sandbox.event_source.retry_policy import RetryPolicy


@dataclass(frozen=True, slots=True)
class EventSourceMapping:
    """What to read, and how to deliver it. Times are in seconds; ValueError names what is out of range."""

    topic: str
    group: str
    bootstrap: str
    function: LambdaFunction
    batch_size: int = 100
    window: float = 0.5
    timeout: float = 60.0
    retries: RetryPolicy = field(default_factory=RetryPolicy)
    on_failure: str | None = None  # an S3 bucket
    concurrency: int = 1
    session_timeout: float = 10.0
    starting_position: Literal["TRIM_HORIZON", "LATEST"] = "TRIM_HORIZON"
    event_source_arn: str = "arn:aws:kafka:us-east-1:123456789012:cluster/local/00000000-0000-0000-0000-000000000000-1"

    def __post_init__(self) -> None:
        ranges = {"batch_size": (1, 10_000), "window": (0, 300), "timeout": (0, 14 * 60), "concurrency": (1, 1000)}
        for name, (minimum, maximum) in ranges.items():
            if not minimum <= getattr(self, name) <= maximum:
                raise ValueError(f"{name}={getattr(self, name)}: expected {minimum} to {maximum}")

    @property
    def id(self) -> UUID:
        """The mapping's ID, which depends on its group and topic only."""
        return uuid5(NAMESPACE_URL, f"{self.group}/{self.topic}")
