"""Both implementations of every port. The real ones share one emulator, so each test uses new names."""

from collections.abc import Callable, Iterator

import boto3
import pytest
from confluent_kafka import Producer

from functions.adapters.aws import Aws
from functions.adapters.dead_letters import S3DeadLetters
from functions.adapters.lake import S3Lake
from functions.adapters.ledger import DynamoLedger
from functions.adapters.memory import MemoryDeadLetters, MemoryLake, MemoryLedger, MemoryTable, MemoryTopic
from functions.adapters.table import DynamoTable
from functions.adapters.topic import PRODUCER, KafkaTopicWriter
from functions.core import names
from functions.core.ports import LakeStore, Source
from sandbox import stores
from sandbox.aws import LocalAws
from sandbox.broker.embedded import Embedded
from tests.contracts.everything import PIPELINE
from tests.contracts.twins import (
    Ledgers,
    Letters,
    Tables,
    Topics,
    aws_accept,
    aws_counted,
    aws_letters,
    aws_mark,
    fresh,
    kafka_sent,
    memory_accept,
    memory_counted,
    memory_mark,
)

STAGE, LAKE, DEAD = "test", "contract-lake", "contract-dead-letters"
MAX_ITEM_BYTES = 400 * 1024  # of a DynamoDB item ("Quotas in Amazon DynamoDB")
TWINS = pytest.fixture(scope="session", params=["memory", "aws"])


@pytest.fixture
def source() -> Source:
    """A partition that no other test uses."""
    return Source(fresh("pipeline"), "all.of-it", 3)


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return fresh("name")


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    """The real clients on an emulator that has every store."""
    with LocalAws() as emulator:
        clients = Aws(emulator.region)
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in emulator.environment().items():
                patch.setenv(variable, value)
            created = {"dynamodb": clients.dynamodb, "s3": clients.s3, "sqs": boto3.Session().client("sqs")}
            created |= {"cloudwatch": clients.cloudwatch, "glue": clients.glue, "ssm": clients.ssm}
        stores.create(created.__getitem__, STAGE, [PIPELINE], LAKE, DEAD)
        yield clients
        clients.pool.shutdown()
        for client in created.values():
            client.close()


@TWINS
def ledgers(request: pytest.FixtureRequest) -> Ledgers:
    """A ledger with access to its counters and gaps."""
    if request.param == "memory":
        memory = MemoryLedger()
        return Ledgers(memory, memory_counted(memory), lambda source: memory.gaps[source], memory_accept(memory))
    aws: Aws = request.getfixturevalue("aws")
    tables = names.ledger_table(STAGE), names.counters_table(STAGE)
    ledger = DynamoLedger(aws.dynamodb, *tables)
    return Ledgers(ledger, aws_counted(aws, tables[1]), ledger.gaps, aws_accept(aws, tables[0]))


@TWINS
def lake(request: pytest.FixtureRequest) -> LakeStore:
    """A lake."""
    if request.param == "memory":
        return MemoryLake()
    aws: Aws = request.getfixturevalue("aws")
    return S3Lake(aws.s3, LAKE)


@TWINS
def letters(request: pytest.FixtureRequest) -> Letters:
    """Dead letters, with access to those that are stored."""
    if request.param == "memory":
        memory = MemoryDeadLetters()
        return Letters(memory, lambda name: [letter for letter in memory.letters.values() if letter.pipeline == name])
    aws: Aws = request.getfixturevalue("aws")
    return Letters(S3DeadLetters(aws.object_puts, DEAD), aws_letters(aws, DEAD))


@TWINS
def tables(request: pytest.FixtureRequest) -> Callable[[str], Tables]:
    """A function from the name of a key to a table, with access to its rows."""
    if request.param == "memory":
        memory = MemoryTable(max_row_bytes=MAX_ITEM_BYTES)
        return lambda _key: Tables(memory, memory_mark(memory))
    aws: Aws = request.getfixturevalue("aws")

    def table_of(key: str) -> Tables:
        table = names.rows_table(STAGE, f"by-{key}")
        return Tables(DynamoTable(aws.item_puts, table, (key,)), aws_mark(aws, table, key))

    return table_of


@pytest.fixture(scope="session")
def embedded() -> Iterator[Embedded]:
    """A broker in this process."""
    with Embedded() as broker:
        yield broker


@pytest.fixture(params=["memory", "kafka"])
def topic(request: pytest.FixtureRequest) -> Topics:
    """An empty topic, with access to its messages."""
    if request.param == "memory":
        memory = MemoryTopic(max_bytes=PRODUCER["message.max.bytes"])
        return Topics(memory, lambda _number: [(m.key, m.value, list(m.headers)) for m in memory.messages])
    broker: Embedded = request.getfixturevalue("embedded")
    name = fresh("out")
    broker.create_topic(name, 4)
    return Topics(
        KafkaTopicWriter(Producer({"bootstrap.servers": broker.bootstrap} | PRODUCER), name),
        kafka_sent(broker.bootstrap, name),
    )
