"""Both implementations of every port. The real ones stand on one emulator, so each test takes names of its own."""

from collections.abc import Callable, Iterator

import boto3
import pytest

from functions.adapters.aws import Aws
from functions.adapters.dead_letters import S3DeadLetters
from functions.adapters.lake import S3Lake
from functions.adapters.ledger import DynamoLedger
from functions.adapters.memory import MemoryDeadLetters, MemoryLake, MemoryLedger, MemoryTable
from functions.adapters.table import DynamoTable
from functions.core import names
from functions.core.ports import Lake, Source
from functions.local import stores
from functions.local.aws import LocalAws
from tests.contracts.everything import PIPELINE
from tests.contracts.twins import (
    Ledgers,
    Letters,
    Tables,
    aws_counted,
    aws_letters,
    aws_mark,
    fresh,
    memory_counted,
    memory_mark,
)

STAGE, LAKE, DEAD = "test", "contract-lake", "contract-dead-letters"
TWINS = pytest.fixture(scope="session", params=["memory", "aws"])


@pytest.fixture
def source() -> Source:
    """A partition that no other test knows."""
    return Source(fresh("pipeline"), "all.of-it", 3)


@pytest.fixture
def name() -> str:
    """A name that no other test knows."""
    return fresh("name")


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    """The real clients on an emulator that has every store."""
    with LocalAws() as emulator:
        clients = Aws(emulator.region)
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in emulator.environment().items():
                patch.setenv(variable, value)
            made = {"dynamodb": clients.dynamodb, "s3": clients.s3, "sqs": boto3.Session().client("sqs")}
            made["cloudwatch"] = clients.cloudwatch
        stores.create(made.__getitem__, STAGE, [PIPELINE], LAKE, DEAD)
        yield clients
        clients.pool.shutdown()
        for client in made.values():
            client.close()


@TWINS
def ledgers(request: pytest.FixtureRequest) -> Ledgers:
    """A ledger, and what it counted."""
    if request.param == "memory":
        memory = MemoryLedger()
        return Ledgers(memory, memory_counted(memory), lambda source: memory.gaps[source])
    aws: Aws = request.getfixturevalue("aws")
    tables = names.ledger_table(STAGE), names.counters_table(STAGE)
    ledger = DynamoLedger(aws.dynamodb, *tables)
    return Ledgers(ledger, aws_counted(aws, tables[1]), ledger.gaps)


@TWINS
def lake(request: pytest.FixtureRequest) -> Lake:
    """A lake."""
    if request.param == "memory":
        return MemoryLake()
    aws: Aws = request.getfixturevalue("aws")
    return S3Lake(aws.s3, LAKE, PIPELINE.schema)


@TWINS
def letters(request: pytest.FixtureRequest) -> Letters:
    """Dead letters, and those of a pipeline that are stored."""
    if request.param == "memory":
        memory = MemoryDeadLetters()
        return Letters(memory, lambda name: [each for each in memory.letters.values() if each.pipeline == name])
    aws: Aws = request.getfixturevalue("aws")
    return Letters(S3DeadLetters(aws.s3, DEAD, aws.pool), aws_letters(aws, DEAD))


@TWINS
def tables(request: pytest.FixtureRequest) -> Callable[[str], Tables]:
    """A table by the name of its key, and what it holds."""
    if request.param == "memory":
        memory = MemoryTable()
        return lambda _key: Tables(memory, memory_mark(memory))
    aws: Aws = request.getfixturevalue("aws")

    def made(key: str) -> Tables:
        table = names.rows_table(STAGE, f"by-{key}")
        return Tables(DynamoTable(aws.dynamodb, table, key, aws.pool), aws_mark(aws, table, key))

    return made
