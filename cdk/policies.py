"""Policy statements, and the acknowledged reasons for their wildcards."""

from collections.abc import Mapping, Sequence

from aws_cdk import Acknowledgment, Aws, Validations
from aws_cdk import aws_iam as iam

Conditions = Mapping[str, Mapping[str, str | Sequence[str]]]


def allow(
    actions: Sequence[str], resources: Sequence[str], conditions: Conditions | None = None, *, sid: str | None = None
) -> iam.PolicyStatement:
    """A statement that allows `actions` on `resources`, under `conditions` if there are any."""
    return iam.PolicyStatement(sid=sid, actions=list(actions), resources=list(resources), conditions=conditions)


def acknowledge_wildcards(role: iam.Role, reasons: Mapping[str, str]) -> None:
    """Acknowledge cdk-nag's findings about a role's wildcards; reasons by resource.

    A finding's ID contains placeholders such as <AWS::AccountId> for values that only CloudFormation knows.
    """
    for resource, reason in reasons.items():
        finding = resource.replace(Aws.PARTITION, "<AWS::Partition>").replace(Aws.ACCOUNT_ID, "<AWS::AccountId>")
        Validations.of(role).acknowledge(Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{finding}]", reason=reason))
