"""The KMS key of a stage, made in any scope."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk.config import StageConfig
from cdk.removal import removal


def new(scope: Construct, stage: StageConfig) -> kms.Key:
    """The key that encrypts what a stage keeps."""
    key = kms.Key(
        scope,
        "Data",
        alias=f"tandem-{stage.name}",
        description=f"What the stage {stage.name} of Tandem keeps",
        enable_key_rotation=True,
        removal_policy=removal(stage),
    )
    _let_logs_encrypt(Stack.of(scope), key)
    return key


def _let_logs_encrypt(stack: Stack, key: kms.Key) -> None:
    """CloudWatch Logs has no role: the key's policy allows the service to use it for this account's log groups."""
    groups = stack.format_arn(
        service="logs", resource="log-group", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
    )
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="LogGroups",
            principals=[iam.ServicePrincipal(f"logs.{stack.region}.{stack.url_suffix}")],
            actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
            resources=["*"],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
        )
    )
