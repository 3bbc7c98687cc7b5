"""Both implementations of every port that operators have: the twin, and the real one on an emulator or a broker."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from arro3.io import read_parquet, write_parquet

from functions.adapters.aws import Aws
from functions.adapters.brokers import KafkaBrokers
from functions.adapters.dead_letter_archive import S3DeadLetterArchive
from functions.adapters.dead_letters import S3DeadLetters
from functions.adapters.discarded_batches import S3DiscardedBatches
from functions.adapters.lake import S3Lake, key
from functions.adapters.lake_listing import S3LakeListing
from functions.adapters.lake_quarantine import S3LakeQuarantine
from functions.adapters.ledger import DynamoLedger
from functions.adapters.ledger_repair import DynamoLedgerRepair
from functions.adapters.memory import MemoryLake, MemoryLedger
from functions.adapters.memory_kafka import MemoryKafka
from functions.adapters.memory_operators import (
    MemoryClaimStore,
    MemoryDeadLetterArchive,
    MemoryDiscardedBatches,
    MemoryLakeListing,
    MemoryLakeQuarantine,
    MemoryLedgerListing,
    MemoryLedgerRepair,
)
from functions.adapters.record_sender import KafkaRecordSender
from functions.adapters.redrive_claims import DynamoClaimStore
from functions.adapters.redriven_search import KafkaRedrivenSearch
from functions.core import names
from functions.core.operator_ports import (
    Brokers,
    ClaimStore,
    DeadLetterArchive,
    DiscardedBatches,
    LakeListing,
    LakeQuarantine,
    LedgerListing,
    LedgerRepair,
    RecordSender,
    RedrivenSearch,
)
from functions.core.ports import DeadLetters, Ledger, Source
from tests.contracts.conftest import DEAD, LAKE, STAGE
from tests.contracts.twins import Counted, aws_counted, fresh, memory_counted

if TYPE_CHECKING:
    from sandbox.broker.embedded import Embedded

TWINS = pytest.fixture(params=["memory", "aws"])


@pytest.fixture
def clients(request: pytest.FixtureRequest) -> Callable[[], Aws]:
    """The real clients; the emulator starts only for a test that calls this."""
    return lambda: request.getfixturevalue("aws")


@TWINS
def claims(request: pytest.FixtureRequest, clients: Callable[[], Aws], name: str) -> ClaimStore:
    """The claims of a pipeline that no other test knows."""
    if request.param == "memory":
        return MemoryClaimStore()
    return DynamoClaimStore(clients().dynamodb, names.ledger_table(STAGE), name)


@dataclass(frozen=True)
class Archive:
    """An archive, and the store that fills it."""

    archive: DeadLetterArchive
    store: DeadLetters


@TWINS
def archive(request: pytest.FixtureRequest, clients: Callable[[], Aws], name: str) -> Archive:
    """The letters of a pipeline that no other test knows."""
    if request.param == "memory":
        memory = MemoryDeadLetterArchive(name)
        return Archive(memory, memory)
    aws = clients()
    return Archive(S3DeadLetterArchive(aws.s3, DEAD, name), S3DeadLetters(aws.object_puts, DEAD))


@dataclass(frozen=True)
class Batches:
    """Discarded batches, and a function that stores an object."""

    batches: DiscardedBatches
    put: Callable[[str, bytes], object]


@TWINS
def batches(request: pytest.FixtureRequest, clients: Callable[[], Aws]) -> Batches:
    """The objects in a bucket, next to those of other tests."""
    if request.param == "memory":
        memory = MemoryDiscardedBatches()
        return Batches(memory, memory.objects.__setitem__)
    s3 = clients().s3
    return Batches(S3DiscardedBatches(s3, DEAD), lambda key, body: s3.put_object(Bucket=DEAD, Key=key, Body=body))


@dataclass(frozen=True)
class Lakes:
    """A lake, and its listing."""

    lake: MemoryLake | S3Lake
    listing: LakeListing


@TWINS
def lakes(request: pytest.FixtureRequest, clients: Callable[[], Aws]) -> Lakes:
    """A lake that other tests use too."""
    if request.param == "memory":
        memory = MemoryLake()
        return Lakes(memory, MemoryLakeListing(memory))
    s3 = clients().s3
    return Lakes(S3Lake(s3, LAKE), S3LakeListing(s3, LAKE))


@dataclass(frozen=True)
class Quarantine:
    """A lake, its quarantine, and functions that damage an object and that read a copy.

    `damage` leaves the counts of the object's intent readable, or nothing at all.
    """

    lake: MemoryLake | S3Lake
    quarantine: LakeQuarantine
    damage: Callable[[Source, date, int, bool], object]
    copied: Callable[[str], bytes]


@TWINS
def quarantine(request: pytest.FixtureRequest, clients: Callable[[], Aws]) -> Quarantine:
    """A lake that other tests use too."""
    if request.param == "memory":
        memory = MemoryLake()
        twin = MemoryLakeQuarantine(memory)

        def damage(source: Source, day: date, offset: int, counts: bool) -> None:  # noqa: FBT001
            memory.damaged[source, day, offset] = "part" if counts else "all"

        return Quarantine(memory, twin, damage, twin.aside.__getitem__)
    s3 = clients().s3

    def damage_object(source: Source, day: date, offset: int, counts: bool) -> None:  # noqa: FBT001
        damaged = key(source, day, offset)
        body = s3.get_object(Bucket=LAKE, Key=damaged)["Body"].read()
        s3.put_object(Bucket=LAKE, Key=damaged, Body=without_first_column(body) if counts else body[:-9])

    def copied(url: str) -> bytes:
        bucket, copy = url.removeprefix("s3://").split("/", 1)
        return s3.get_object(Bucket=bucket, Key=copy)["Body"].read()

    return Quarantine(S3Lake(s3, LAKE), S3LakeQuarantine(s3, LAKE, DEAD), damage_object, copied)


def without_first_column(body: bytes) -> bytes:
    """Return a Parquet file without its first column, but with its metadata."""
    table, file = read_parquet(BytesIO(body)).read_all(), BytesIO()
    write_parquet(table.select(table.column_names[1:]), file, key_value_metadata=table.schema.metadata_str)
    return file.getvalue()


@dataclass(frozen=True)
class Listing:
    """A ledger, its listing, and its repair."""

    ledger: Ledger
    listing: LedgerListing
    repair: LedgerRepair
    counted: Counted


@TWINS
def ledger(request: pytest.FixtureRequest, clients: Callable[[], Aws]) -> Listing:
    """A ledger that other tests use too."""
    if request.param == "memory":
        memory = MemoryLedger()
        return Listing(memory, MemoryLedgerListing(memory), MemoryLedgerRepair(memory), memory_counted(memory))
    tables = names.ledger_table(STAGE), names.counters_table(STAGE)
    real = DynamoLedger(clients().dynamodb, *tables)
    return Listing(real, real, DynamoLedgerRepair(clients().dynamodb, *tables), aws_counted(clients(), tables[1]))


@dataclass(frozen=True)
class Kafka:
    """The three ports to brokers with `topic`, which is empty and has 4 partitions."""

    topic: str
    brokers: Brokers
    sender: RecordSender
    search: RedrivenSearch


@pytest.fixture(params=["memory", "kafka"])
def kafka(request: pytest.FixtureRequest) -> Kafka:
    """Brokers with a topic and a group that no other test knows."""
    topic = fresh("topic")
    if request.param == "memory":
        memory = MemoryKafka()
        memory.create_topic(topic, 4)
        return Kafka(topic, memory, memory, memory)
    broker: Embedded = request.getfixturevalue("embedded")
    broker.create_topic(topic, 4)
    return real_kafka(broker.bootstrap, topic, f"{topic}-group")


def real_kafka(bootstrap: str, topic: str, group: str, timeout: float = 10.0) -> Kafka:
    """Return the real adapters on a broker."""

    def connection() -> dict[str, str]:
        return {"bootstrap.servers": bootstrap}

    return Kafka(
        topic,
        KafkaBrokers(connection, group, timeout),
        KafkaRecordSender(connection, timeout),
        KafkaRedrivenSearch(connection, group, timeout),
    )
