"""Statements of policies, and why a wildcard in one is as narrow as it can be."""

from collections.abc import Mapping, Sequence

from aws_cdk import Acknowledgment, Aws, Validations
from aws_cdk import aws_iam as iam

Conditions = Mapping[str, Mapping[str, str | Sequence[str]]]


def allow(
    actions: Sequence[str], resources: Sequence[str], conditions: Conditions | None = None, *, sid: str | None = None
) -> iam.PolicyStatement:
    """A statement that allows this."""
    return iam.PolicyStatement(sid=sid, actions=list(actions), resources=list(resources), conditions=conditions)


def acknowledge_wildcards(role: iam.Role, reasons: Mapping[str, str]) -> None:
    """Tell cdk-nag, in the words of its finding; reasons by resource.

    It writes out what only CloudFormation knows, such as <AWS::AccountId>.
    """
    for resource, reason in reasons.items():
        told = resource.replace(Aws.PARTITION, "<AWS::Partition>").replace(Aws.ACCOUNT_ID, "<AWS::AccountId>")
        Validations.of(role).acknowledge(Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{told}]", reason=reason))
