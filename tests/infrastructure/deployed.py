"""A stage of the templates on emulators: stores, secrets and a broker, with this process configured as a runtime."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import pytest

from functions import settings
from functions.bootstrap import App
from functions.core import names
from functions.pipelines.logins import PIPELINE
from sandbox import stores
from sandbox.broker.embedded import Embedded
from tests.emulator import account
from tests.infrastructure import recording
from tests.infrastructure.conftest import Templates
from tests.infrastructure.policies import Call, Statement
from tests.infrastructure.requests import Aws, kafka_calls
from tests.infrastructure.resolve import Resolved

USER: Final = {"username": "tandem", "password": "secret"}
OURS: Final = {
    "TANDEM_KAFKA_AUTH": "plaintext", "TANDEM_FLOOD_RATIO": "1", "TANDEM_SLICE_SECONDS": "0.1",
    "TANDEM_HTTP_HOST": "127.0.0.1", "TANDEM_HTTP_PORT": "0", "POWERTOOLS_TRACE_DISABLED": "true",
    "TANDEM_SESSION_TIMEOUT_SECONDS": "4",  # which the embedded broker waits for members to join
}  # fmt: skip


@dataclass(frozen=True)
class Deployed:
    """A deployed stage, which exists during the test."""

    resolved: Resolved
    bootstrap: str
    monkeypatch: pytest.MonkeyPatch

    def statements(self, runtime: str) -> list[Statement]:
        """The statements of the runtime's role."""
        return list(self.resolved.statements(runtime))

    def run(self, runtime: str) -> list[Call]:
        """The distinct permissions that the runtime's requests need."""
        recorded = recording.record(self.monkeypatch)
        self._connect()
        if runtime == "msk":
            recording.run_msk(recorded)
        else:
            recording.run_worker(recorded, self.bootstrap)
        return self._calls(recorded)

    def _connect(self) -> None:
        """Read what a real connection needs, too."""
        variables = self.resolved.function["Environment"]["Variables"] | {"TANDEM_BOOTSTRAP_SERVERS": "broker:9096"}
        App(settings.read(variables)).kafka  # noqa: B018 - for the request that it makes

    def _calls(self, recorded: recording.Recorded) -> list[Call]:
        function, cluster = self.resolved.function, self.resolved.mapping["EventSourceArn"]
        tables = self.resolved.properties("stores", "AWS::DynamoDB::GlobalTable")
        aws = Aws({table["TableName"]: _partition_key(table) for table in tables}, function["KmsKeyArn"])
        calls = [call for request in recorded.aws for call in aws.calls(*request)]
        if function["Environment"]["Variables"]["TANDEM_KAFKA_AUTH"] == "iam":
            group = names.consumer_group(self.resolved.stage, PIPELINE.name)
            for kind in recorded.consumer:
                calls += kafka_calls(kind, cluster, PIPELINE.topic, group)
            for kind in recorded.producer:
                calls += kafka_calls(kind, cluster, PIPELINE.topics[0].name)
        return calls


@contextmanager
def deployed(templates: Templates, stage: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployed]:
    """Deploy the stage for the duration of `with`."""
    with account() as client, Embedded() as broker:
        resolved = Resolved(templates, stage, _secrets(client("secretsmanager"), Resolved(templates, stage)))
        variables = resolved.function["Environment"]["Variables"]
        for name, value in (variables | OURS | {"TANDEM_BOOTSTRAP_SERVERS": broker.bootstrap}).items():
            monkeypatch.setenv(name, value)
        buckets = (variables["TANDEM_LAKE_BUCKET"], variables["TANDEM_DEAD_LETTER_BUCKET"])
        stores.create(client, stage, [PIPELINE], *buckets)
        for topic in (PIPELINE.topic, PIPELINE.topics[0].name):
            broker.create_topic(topic, 4)
        yield Deployed(resolved, broker.bootstrap, monkeypatch)


def _secrets(client: Any, resolved: Resolved) -> dict[str, str]:
    """Create the secrets of the templates; returns ARNs by name."""
    created = [
        client.create_secret(Name=one["Name"], SecretString=json.dumps(USER))
        for stack in ("stores", "kafka")
        for one in resolved.properties(stack, "AWS::SecretsManager::Secret")
    ]
    return {one["Name"]: one["ARN"] for one in created}


def _partition_key(table: dict[str, Any]) -> str:
    (key,) = (part["AttributeName"] for part in table["KeySchema"] if part["KeyType"] == "HASH")
    return str(key)
