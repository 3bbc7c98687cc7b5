"""A desk on an emulator and an embedded broker: a stage of its own for each test."""

import secrets
from collections.abc import Iterator

import pytest

from functions.adapters.ledger import DynamoLedger
from functions.core import names
from functions.local import stores
from functions.local.broker.embedded import Embedded
from functions.operate.desk import Desk
from functions.pipelines.logins import PIPELINE
from functions.settings import Settings
from tests.emulator import account


@pytest.fixture(scope="session")
def client() -> Iterator[stores.Client]:
    with account() as empty:
        yield empty


@pytest.fixture
def broker() -> Iterator[Embedded]:
    with Embedded() as embedded:
        embedded.create_topic(PIPELINE.topic, 4)
        yield embedded


@pytest.fixture
def desk(client: stores.Client, broker: Embedded) -> Iterator[Desk]:
    stage = f"test-{secrets.token_hex(4)}"
    settings = Settings(
        stage=stage,
        pipeline=PIPELINE.name,
        lake_bucket=f"{stage}-lake",
        dead_letter_bucket=f"{stage}-dead-letters",
        mask_key_from="file:/nowhere",
        bootstrap_servers=broker.bootstrap,
        kafka_auth="plaintext",
    )
    stores.create(client, stage, [PIPELINE], settings.lake_bucket, settings.dead_letter_bucket)
    made = Desk(settings)
    ledger = DynamoLedger(client("dynamodb"), names.ledger_table(stage), names.counters_table(stage))
    made.__dict__.update(s3=client("s3"), ledger=ledger)  # where the properties keep what they built
    yield made
    made.pool.shutdown()
