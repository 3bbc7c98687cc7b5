"""A desk on an emulator and an embedded broker: a stage of its own for each test."""

import secrets
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from functions.adapters.ledger import DynamoLedger
from functions.core import names
from functions.local import stores
from functions.local.aws import LocalAws
from functions.local.broker.embedded import Embedded
from functions.operate.desk import Desk
from functions.pipelines.logins import PIPELINE
from functions.settings import Settings


@pytest.fixture(scope="session")
def clients() -> Iterator[dict[str, Any]]:
    """Made once: that takes longer than most tests."""
    with LocalAws() as aws, pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environment().items():
            patch.setenv(name, value)
        client: Any = boto3.Session().client
        made: dict[str, Any] = {name: client(name) for name in ("dynamodb", "s3", "sqs")}
        yield made
        for each in made.values():
            each.close()


@pytest.fixture
def broker() -> Iterator[Embedded]:
    with Embedded() as embedded:
        embedded.create_topic(PIPELINE.topic, 4)
        yield embedded


@pytest.fixture
def desk(clients: dict[str, Any], broker: Embedded) -> Iterator[Desk]:
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
    stores.create(clients.__getitem__, stage, [PIPELINE], settings.lake_bucket, settings.dead_letter_bucket)
    made = Desk(settings)
    ledger = DynamoLedger(clients["dynamodb"], names.ledger_table(stage), names.counters_table(stage))
    made.__dict__.update(s3=clients["s3"], ledger=ledger)  # where the properties keep what they built
    yield made
    made.pool.shutdown()
