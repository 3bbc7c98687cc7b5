"""An AWS account of a test's own: empty, on the emulator, and the only one that its process can reach."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from boto3 import Session

from functions.local.aws import LocalAws
from functions.local.stores import Client


@contextmanager
def account(region: str = "us-east-1") -> Iterator[Client]:
    """Its clients by service, each made once: that takes longer than most tests."""
    made: dict[str, Any] = {}
    with LocalAws(region) as aws, pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environment().items():
            patch.setenv(name, value)
        session: Any = Session()
        yield lambda service: made.get(service) or made.setdefault(service, session.client(service))
        for client in made.values():
            client.close()
