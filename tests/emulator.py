"""An empty AWS account on the emulator, the only one that the test's process can reach."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from boto3 import Session

from sandbox.aws import LocalAws
from sandbox.stores import Client


@contextmanager
def account(region: str = "us-east-1") -> Iterator[Client]:
    """Yield its clients by service. Each is created once, because that is slower than most tests."""
    clients: dict[str, Any] = {}
    with LocalAws(region) as aws, pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environment().items():
            patch.setenv(name, value)
        session: Any = Session()
        yield lambda service: clients.get(service) or clients.setdefault(service, session.client(service))
        for client in clients.values():
            client.close()
