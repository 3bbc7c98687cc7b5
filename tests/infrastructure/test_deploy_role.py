"""The deploy role: who may assume it, and its permissions."""

import re
from typing import Any

import pytest

from tests.infrastructure.conftest import ROOT, Templates

ISSUER = "token.actions.githubusercontent.com"


def statements(templates: Templates, stage: str) -> dict[str, dict[str, Any]]:
    found = templates.one(stage, "deployrole", "AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    return {each["Sid"]: each for each in found}


def text(resource: Any) -> str:
    """An ARN without its references."""
    parts = resource["Fn::Join"][1] if isinstance(resource, dict) else [resource]
    return "".join(part if isinstance(part, str) else "*" for part in parts)


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_only_the_repository_and_environment_may_assume_it(templates: Templates, stage: str) -> None:
    role = templates.one(stage, "deployrole", "AWS::IAM::Role")
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert trust["Condition"] == {
        "StringEquals": {
            f"{ISSUER}:aud": "sts.amazonaws.com",
            f"{ISSUER}:sub": f"repo:your--organisation/tandem:environment:{stage}",
        }
    }
    assert role["RoleName"] == f"tandem-{stage}-deploy"
    assert role["MaxSessionDuration"] == 3600


def test_the_provider_is_created_or_existing(templates: Templates) -> None:
    provider = templates.one("dev", "deployrole", "AWS::IAM::OIDCProvider")
    assert provider["Url"] == f"https://{ISSUER}"
    assert provider["ClientIdList"] == ["sts.amazonaws.com"]
    assert not templates.resources("prod", "deployrole", "AWS::IAM::OIDCProvider")
    (trust,) = templates.one("prod", "deployrole", "AWS::IAM::Role")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Federated": f"arn:aws:iam::111122223333:oidc-provider/{ISSUER}"}


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_it_can_deploy_and_nothing_else(templates: Templates, stage: str) -> None:
    allowed = statements(templates, stage)
    assert allowed.keys() == {
        "Cdk", "Parameters", "Functions", "Versions", "Mappings", "RegistryToken", "Images", "Kubernetes",
    }  # fmt: skip
    assert [text(each) for each in allowed["Cdk"]["Resource"]] == [
        f"arn:aws:iam::*:role/cdk-hnb659fds-{role}-role-*-us-east-1" for role in ("deploy", "file-publishing", "lookup")
    ]
    assert text(allowed["Parameters"]["Resource"]) == f"arn:aws:ssm:us-east-1:*:parameter/tandem/{stage}/*"
    assert allowed["RegistryToken"]["Action"] == "ecr:GetAuthorizationToken"
    assert text(allowed["Images"]["Resource"]) == f"arn:aws:ecr:us-east-1:*:repository/tandem-{stage}"
    assert allowed["Kubernetes"]["Action"] == "eks:DescribeCluster"
    assert text(allowed["Kubernetes"]["Resource"]) == f"arn:aws:eks:us-east-1:*:cluster/tandem-{stage}"
    function = f"arn:aws:lambda:us-east-1:*:function:tandem-{stage}-logins"
    assert [text(each) for each in allowed["Functions"]["Resource"]] == [function, f"{function}:*"]
    assert allowed["Versions"]["Action"] == "lambda:DeleteFunction"
    assert text(allowed["Versions"]["Resource"]) == f"{function}:*"  # which is no function, only its versions
    for name, statement in allowed.items():
        assert (statement["Resource"] == "*") == (name in {"RegistryToken", "Mappings"})
        assert "*" not in "".join(statement["Action"])


def test_without_a_repository_there_is_no_role(alternatives: Templates) -> None:
    assert ("iam", "deployrole") not in alternatives.by_stack


def test_it_may_make_every_lambda_call_of_the_release(templates: Templates) -> None:
    script = (ROOT / ".github/scripts/functions.sh").read_text()
    called = {f"lambda:{verb.title().replace('-', '')}" for verb in re.findall(r"aws lambda ([a-z-]+)", script)}
    allowed = statements(templates, "dev")
    assert called == {
        *allowed["Functions"]["Action"], allowed["Versions"]["Action"], allowed["Mappings"]["Action"],
    }  # fmt: skip
