"""What an organisation gives to a stage: a key, a topic for alarms, a permissions boundary, a bootstrap of its own."""

import json
from typing import Any

import pytest

from tests.infrastructure.conftest import ALTERNATIVES, Templates
from tests.infrastructure.resolve import Resolved

GIVEN = ALTERNATIVES["given"]


def of_type(templates: Templates, type_: str) -> list[dict[str, Any]]:
    """The resources of a type in all stacks of the stage."""
    stacks = [stack for stage, stack in templates.by_stack if stage == "given"]
    return [one for stack in stacks for one in templates.resources("given", stack, type_).values()]


def test_the_given_key_encrypts_everything(alternatives: Templates) -> None:
    assert of_type(alternatives, "AWS::KMS::Key") == of_type(alternatives, "AWS::KMS::Alias") == []
    (queue,) = of_type(alternatives, "AWS::SQS::Queue")
    assert queue["Properties"]["KmsMasterKeyId"] == GIVEN["key"]
    assert {one["Properties"]["KmsKeyId"] for one in of_type(alternatives, "AWS::Logs::LogGroup")} == {GIVEN["key"]}
    for runtime in ("msk", "worker"):
        statements = {one["Sid"]: one for one in Resolved(alternatives, "given").statements(runtime)}
        assert statements["Key"]["Resource"] == GIVEN["key"]
        assert statements["ScramKey"]["Resource"] == GIVEN["kafka"]["scram_key"]


def test_alarms_go_to_the_given_topic(alternatives: Templates) -> None:
    assert of_type(alternatives, "AWS::SNS::Topic") == []
    for alarm in of_type(alternatives, "AWS::CloudWatch::Alarm"):
        assert alarm["Properties"]["AlarmActions"] == alarm["Properties"]["OKActions"] == [GIVEN["alarm_topic"]]


def test_every_role_has_the_boundary(alternatives: Templates) -> None:
    roles = of_type(alternatives, "AWS::IAM::Role")
    assert len(roles) >= 4
    assert {role["Properties"]["PermissionsBoundary"] for role in roles} == {GIVEN["permissions_boundary"]}


def test_the_stage_is_deployed_by_its_own_bootstrap(alternatives: Templates) -> None:
    role = alternatives.one("given", "deployrole", "AWS::IAM::Policy")
    (assumed,) = (one["Resource"] for one in role["PolicyDocument"]["Statement"] if one.get("Sid") == "Cdk")
    assert assumed == [
        f"arn:aws:iam::111122223333:role/cdk-given-{name}-role-111122223333-us-east-1"
        for name in ("deploy", "file-publishing", "lookup")
    ]
    for (stage, _), template in alternatives.by_stack.items():
        if stage == "given":
            assert template["Parameters"]["BootstrapVersion"]["Default"] == "/cdk-bootstrap/given/version"
            assert "hnb659fds" not in json.dumps(template)


@pytest.mark.parametrize("stack", ["keys", "stores"])
def test_no_statement_is_written_for_a_key_that_is_managed_elsewhere(alternatives: Templates, stack: str) -> None:
    assert "kms:EncryptionContext" not in json.dumps(alternatives["given", stack])
