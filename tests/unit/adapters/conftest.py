from collections.abc import Iterator

import pytest

from functions.adapters.aws import Aws
from tests.unit.adapters.clients import clients


@pytest.fixture(scope="session")
def made() -> Iterator[Aws]:
    with clients() as aws:
        yield aws


@pytest.fixture
def aws(made: Aws) -> Iterator[Aws]:
    yield made
    for client in (made.dynamodb, made.s3, made.secretsmanager, made.cloudwatch):
        client.meta.events.unregister("before-call", unique_id="fails")
