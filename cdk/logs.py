"""Log groups: encrypted with the stage's key, and kept for as many days as the stage says."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.config import StageConfig


def log_group(
    scope: Construct, name: str, stage: StageConfig, key: kms.IKey, *, group: str | None = None
) -> logs.LogGroup:
    """A log group, named `group` or by CDK. Logs outlive no stack: what must stay goes elsewhere."""
    made = logs.LogGroup(scope, name, log_group_name=group, encryption_key=key, removal_policy=RemovalPolicy.DESTROY)
    child = made.node.default_child
    assert isinstance(child, logs.CfnLogGroup)  # noqa: S101 - tells the type checker what every LogGroup has
    child.retention_in_days = stage.log_days  # RetentionDays is an enumeration of words, the configuration has days
    return made
