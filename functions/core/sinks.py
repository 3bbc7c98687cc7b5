"""Where rows go: descriptors, never clients, so that CDK, the tests and the docs can read them."""

from dataclasses import dataclass, field
from typing import Final

from functions.core.topic_config import TopicConfig

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Lake:
    """Every row, once, in Parquet on S3; it is also what makes a slice's other effects exact."""


@dataclass(frozen=True, slots=True)
class Counters:
    """How many rows per value of the fields `by` and per `every` seconds of the field `at`, exact, in DynamoDB."""

    name: str
    by: tuple[str, ...]
    every: int
    at: str


@dataclass(frozen=True, slots=True)
class Table:
    """The row with the greatest `newest_by` per `key`, in a DynamoDB table of its own."""

    name: str
    key: str
    newest_by: str


@dataclass(frozen=True, slots=True)
class Topic:
    """Every row as JSON in a Kafka topic, keyed by the field `key`.

    At least once: a row that is sent again carries the same source coordinates in its headers, so readers can tell.
    """

    name: str
    key: str
    config: TopicConfig = field(default_factory=TopicConfig)


Sink = Lake | Counters | Table | Topic
