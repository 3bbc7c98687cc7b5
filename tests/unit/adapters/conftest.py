from collections.abc import Iterator

import pytest

from functions.adapters.aws import Aws
from tests.unit.adapters.clients import clients


@pytest.fixture(scope="session")
def created() -> Iterator[Aws]:
    with clients() as aws:
        yield aws


@pytest.fixture
def aws(created: Aws) -> Iterator[Aws]:
    yield created
    for client in (created.dynamodb, created.s3, created.secretsmanager, created.cloudwatch):
        client.meta.events.unregister("before-call", unique_id="fails")
