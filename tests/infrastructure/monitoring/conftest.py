"""A stage with values that the stages of cdk.json omit."""

import pytest

from tests.infrastructure.conftest import Templates, synthesise

OPS = {
    "region": "eu-central-1",
    "zones": ["eu-central-1a", "eu-central-1b", "eu-central-1c"],
    "kafka": {"kind": "express"},
    "pipelines": {"logins": {"pollers": {"min": 1, "max": 4}}},
    "github": {"repository": "someone/tandem", "environment": "ops"},
    "alarm_email": "on-call@example.com",
}


@pytest.fixture(scope="session")
def ops(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The templates of the stage `ops`."""
    return synthesise(tmp_path_factory.mktemp("cdk-ops"), {"ops": OPS})
