"""What an event source mapping is made of.

Follows AWS, "Amazon MSK event source mapping in Lambda" and "Lambda event source mapping parameters for Kafka": names,
ranges and defaults. Chosen here: `concurrency` stands for what AWS decides by itself, windows and timeouts may be
fractions of a second, and there is a session timeout: how long the group waits for a source that was killed.
"""

from dataclasses import dataclass, field
from typing import Literal
from uuid import NAMESPACE_URL, UUID, uuid5

from functions.local.event_source.function import Function
from functions.local.event_source.patience import Patience


@dataclass(frozen=True, slots=True)
class Mapping:
    """What to read and how to bring it to the function. Times in seconds; ValueError names what is out of range."""

    topic: str
    group: str
    bootstrap: str
    function: Function
    batch_size: int = 100
    window: float = 0.5
    timeout: float = 60.0
    patience: Patience = field(default_factory=Patience)
    on_failure: str | None = None  # an S3 bucket
    concurrency: int = 1
    session_timeout: float = 10.0
    starting_position: Literal["TRIM_HORIZON", "LATEST"] = "TRIM_HORIZON"
    event_source_arn: str = "arn:aws:kafka:us-east-1:123456789012:cluster/local/00000000-0000-0000-0000-000000000000-1"

    def __post_init__(self) -> None:
        ranges = {"batch_size": (1, 10_000), "window": (0, 300), "timeout": (0, 14 * 60), "concurrency": (1, 1000)}
        for name, (least, most) in ranges.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name}={getattr(self, name)}: must be from {least} to {most}")

    @property
    def id(self) -> UUID:
        """The same for the same group and topic."""
        return uuid5(NAMESPACE_URL, f"{self.group}/{self.topic}")
