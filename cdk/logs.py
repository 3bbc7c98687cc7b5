"""Log groups, encrypted with the stage's key and kept for the stage's `log_days`."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.config import StageConfig


def log_group(
    scope: Construct, name: str, stage: StageConfig, key: kms.IKey, *, group: str | None = None
) -> logs.LogGroup:
    """A log group named `group`, or by CDK if that is None. It is deleted together with its stack."""
    created = logs.LogGroup(scope, name, log_group_name=group, encryption_key=key, removal_policy=RemovalPolicy.DESTROY)
    child = created.node.default_child
    assert isinstance(child, logs.CfnLogGroup)  # noqa: S101 - for the type checker: every LogGroup has one
    child.retention_in_days = stage.log_days  # RetentionDays has words where the configuration has days
    return created
