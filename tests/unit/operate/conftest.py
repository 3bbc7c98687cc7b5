"""A desk on an emulator and an embedded broker: a stage of its own for each test."""

import secrets
from collections.abc import Iterator

import boto3
import pytest

from functions.local import stores
from functions.local.aws import LocalAws
from functions.local.broker.embedded import Embedded
from functions.operate.desk import Desk
from functions.pipelines.logins import PIPELINE
from functions.settings import Settings


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as emulator:
        yield emulator


@pytest.fixture
def broker() -> Iterator[Embedded]:
    with Embedded() as embedded:
        embedded.create_topic(PIPELINE.topic, 4)
        yield embedded


@pytest.fixture
def desk(aws: LocalAws, broker: Embedded, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    stage = f"test-{secrets.token_hex(4)}"
    made = Desk(
        Settings(
            stage=stage,
            pipeline=PIPELINE.name,
            lake_bucket=f"{stage}-lake",
            dead_letter_bucket=f"{stage}-dead-letters",
            mask_key_from="file:/nowhere",
            bootstrap_servers=broker.bootstrap,
            kafka_auth="plaintext",
        )
    )
    sqs = boto3.Session().client("sqs")
    clients = {"dynamodb": made.ledger.dynamodb, "s3": made.s3, "sqs": sqs}
    stores.create(clients.__getitem__, stage, [PIPELINE], made.settings.lake_bucket, made.settings.dead_letter_bucket)
    yield made
    made.pool.shutdown()
    for client in clients.values():
        client.close()
