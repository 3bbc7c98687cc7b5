"""Sinks, where rows go: descriptions without clients, so that CDK, tests and docs can read them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar, Final

from functions.core.codecs import Codec
from functions.core.column_types import Field
from functions.core.topic_config import TopicConfig

MINUTE: Final = 60
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Lake:
    """Every row, exactly once, in Parquet on S3. The other effects of a slice are derived from its lake object."""

    history: bool = False
    """Whether deletes are rows, too: `_deleted` is true, the fields of the key have values, and all others are null."""


@dataclass(frozen=True, slots=True)
class Counters:
    """The exact number of rows per value of the fields `by` and per `every` seconds of the field `at`, in DynamoDB."""

    name: str
    """The counter's name, which no other pipeline may use."""

    by: tuple[str, ...]
    """The fields whose values are counted separately; `()` counts all rows."""

    every: int
    """The length of a time bucket, in seconds: `MINUTE`, `HOUR`, `DAY` or any other."""

    at: str
    """The datetime field that decides in which bucket a row counts."""

    sums: tuple[str, ...] = ()
    """Fields of int or Decimal that are added up as well, exactly. A None adds nothing."""

    expire_after: timedelta | None = None
    """How long after the end of its time bucket DynamoDB may delete a count. A record that counts later begins at 0."""


@dataclass(frozen=True, slots=True)
class Table:
    """The row with the greatest `newest_by` per `key`, in a separate DynamoDB table."""

    name: str
    """The table's name, which no other pipeline may use."""

    key: str | tuple[str, str]
    """The field that identifies a row, or two, of which the second is the table's sort key."""

    newest_by: str | None = None
    """The field whose greatest value wins; without one, the record that was written last wins."""

    expire_after: timedelta | None = None
    """How long after `newest_by`, or the record's time, DynamoDB may delete the row."""

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields of the key: the partition key, and the sort key if there is one."""
        return (self.key,) if isinstance(self.key, str) else self.key


@dataclass(frozen=True, slots=True)
class Topic:
    """Every row in a Kafka topic, keyed by the field `key`; as JSON unless there is a `codec`.

    At least once: a row that is sent again has the same source coordinates in its headers, so readers can detect it.
    """

    name: str
    """The topic."""

    key: str
    """The field that becomes the message's key."""

    config: TopicConfig = field(default_factory=TopicConfig)
    """The settings with which the CDK creates the topic."""

    codec: Codec | None = None
    """`Avro(REGISTRY)` or `JsonSchema(REGISTRY)`: values are encoded by the latest schema of `subject`, and name it."""

    subject: str | None = None
    """The schema's subject, or name in Glue; TOPIC-value, or in Glue TOPIC, if omitted."""


@dataclass(frozen=True)
class CustomSink:
    """The base of a sink of your own: a descriptor, which subclasses extend by what the pipeline declares."""

    name: str
    """The sink's name."""

    adapter: ClassVar[str] = ""
    """The function ("package.module:function") that makes its ports.RowSink from the descriptor and a SinkContext.

    Only a process that settles imports it.
    """

    secret: ClassVar[bool] = False
    """Whether a stage gives the sink a secret, which the context reads."""

    aws_services: ClassVar[tuple[str, ...]] = ()
    """The AWS services that it creates clients of, by botocore's names. Lambda's zip has no other descriptions."""

    egress: ClassVar[tuple[int, ...]] = ()
    """The TCP ports that it connects to."""

    extras: ClassVar[tuple[str, ...]] = ()
    """The extras of Tandem with the packages that its adapter imports."""

    @property
    def key_fields(self) -> tuple[str, ...]:
        """The fields whose values a deletion names; without any, the sink is given no deletions that it must apply."""
        return ()

    def problems(self, fields: Mapping[str, Field]) -> Iterator[str]:  # noqa: ARG002 - for subclasses
        """Yield what is wrong with the declaration; `fields` are those of the row."""
        yield from ()


Sink = Lake | Counters | Table | Topic | CustomSink
