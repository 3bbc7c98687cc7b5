"""The function that creates Redshift's tables: its requests to AWS, and its answers to CloudFormation."""

import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from cdk.analytics.warehouse_tables import CODE

WORKGROUP = "arn:aws:redshift-serverless:us-east-1:111122223333:workgroup/one"
SECRET = "arn:aws:secretsmanager:us-east-1:111122223333:secret:redshift!tandem-prod-tandem_admin-abcdef"
WHERE = {"WorkgroupName": "tandem-prod", "Database": "tandem", "SecretArn": SECRET}
WANTED = {
    "NamespaceName": "tandem-prod", "WorkgroupName": "tandem-prod", "WorkgroupArn": WORKGROUP, "Database": "tandem",
    "RpuHoursADay": "24", "Statements": [{"Sql": "CREATE", "Unless": "ASK"}],
}  # fmt: skip
LIMIT = {"amount": 24, "breachAction": "deactivate"}
WHICH = {"resourceArn": WORKGROUP, "usageType": "serverless-compute"}


class Aws:
    """Both services, with prepared answers; botocore checks every request and answer against the service's model."""

    def __init__(self) -> None:
        self.clients = {name: boto3.client(name, "us-east-1") for name in ("redshift-serverless", "redshift-data")}
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

    def limited(self, *there: dict[str, Any]) -> None:
        """Expect calls for the limit and for the administrator's secret."""
        serverless = self.stubs["redshift-serverless"]
        serverless.add_response("list_usage_limits", {"usageLimits": list(there)} if there else {}, WHICH)
        if there:
            serverless.add_response("update_usage_limit", {}, LIMIT | {"usageLimitId": "one"})
        else:
            serverless.add_response("create_usage_limit", {}, LIMIT | WHICH | {"period": "daily"})
        serverless.add_response("get_namespace", {"namespace": {"adminPasswordSecretArn": SECRET}})

    def ran(self, sql: str, *statuses: dict[str, Any]) -> None:
        """Expect a statement, and calls for its status."""
        data = self.stubs["redshift-data"]
        data.add_response("execute_statement", {"Id": sql}, WHERE | {"Sql": sql})
        for each in statuses:
            data.add_response("describe_statement", {"Id": sql} | each, {"Id": sql})


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    made = Aws()
    monkeypatch.setattr(boto3, "client", made.clients.__getitem__)
    yield made
    for stub in made.stubs.values():
        stub.assert_no_pending_responses()
    for client in made.clients.values():
        client.close()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The answers to CloudFormation: status and reason."""
    heard: list[tuple[str, str]] = []

    def send(_event: object, _context: object, status: str, _data: object, _name: str, reason: str = "") -> None:
        heard.append((status, reason))

    lambdas_own = SimpleNamespace(send=send, SUCCESS="SUCCESS", FAILED="FAILED")
    monkeypatch.setitem(sys.modules, "cfnresponse", lambdas_own)
    return heard


@pytest.fixture
def function(answers: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The code as Lambda loads it, but without waiting."""
    spec = importlib.util.spec_from_file_location("index", CODE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    return module


def event(kind: str) -> dict[str, Any]:
    """CloudFormation's request."""
    return {"RequestType": kind, "LogicalResourceId": "Tables", "ResourceProperties": WANTED}


def test_missing_objects_are_created(function: ModuleType, aws: Aws, answers: list[tuple[str, str]]) -> None:
    aws.limited()
    aws.ran("ASK", {"Status": "SUBMITTED"}, {"Status": "STARTED"}, {"Status": "FINISHED", "ResultRows": 0})
    aws.ran("CREATE", {"Status": "FINISHED", "ResultRows": -1})
    function.handler(event("Create"), None)
    assert answers == [("SUCCESS", "")]


def test_existing_objects_stay(function: ModuleType, aws: Aws, answers: list[tuple[str, str]]) -> None:
    aws.limited({"usageLimitId": "one"})
    aws.ran("ASK", {"Status": "FINISHED", "ResultRows": 1})
    function.handler(event("Update"), None)
    assert answers == [("SUCCESS", "")]


@pytest.mark.parametrize("failure", [{"Status": "FAILED", "Error": "relation exists"}, {"Status": "ABORTED"}])
def test_a_statement_that_fails_fails_the_deployment(
    function: ModuleType, aws: Aws, answers: list[tuple[str, str]], failure: dict[str, str]
) -> None:
    aws.limited()
    aws.ran("ASK", {"Status": "FINISHED", "ResultRows": 0})
    aws.ran("CREATE", failure)
    function.handler(event("Update"), None)
    assert answers == [("FAILED", f"{failure.get('Error', 'ABORTED')}: CREATE")]


def test_a_deletion_does_nothing(function: ModuleType, aws: Aws, answers: list[tuple[str, str]]) -> None:
    function.handler(event("Delete"), None)
    assert answers == [("SUCCESS", "")]


def test_the_code_is_within_the_inline_limit() -> None:
    assert len(CODE.read_bytes()) <= 4096  # AWS CloudFormation documentation, "AWS::Lambda::Function Code"
