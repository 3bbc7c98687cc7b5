"""Why a policy's wildcard is as narrow as it can be, told to cdk-nag in the words of its finding."""

from collections.abc import Mapping

from aws_cdk import Acknowledgment, Aws, Validations
from aws_cdk import aws_iam as iam


def acknowledge_wildcards(role: iam.Role, reasons: Mapping[str, str]) -> None:
    """Reasons by resource. cdk-nag writes out what only CloudFormation knows, such as <AWS::AccountId>."""
    for resource, reason in reasons.items():
        told = resource.replace(Aws.PARTITION, "<AWS::Partition>").replace(Aws.ACCOUNT_ID, "<AWS::AccountId>")
        Validations.of(role).acknowledge(Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{told}]", reason=reason))
