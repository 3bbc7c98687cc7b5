"""The key that encrypts what a stage keeps."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk.config import StageConfig
from cdk.removal import removal


class Keys(Stack):
    """The key that encrypts what a stage keeps. Roles use it by their own policies, services by the key's."""

    data: kms.Key
    """Of the lake, dead letters, tables, queue, secrets, logs, Kafka."""

    def __init__(self, scope: Construct, stage: StageConfig) -> None:
        super().__init__(scope, "Keys", stack_name=f"tandem-{stage.name}-keys")
        self.data = kms.Key(
            self,
            "Data",
            alias=f"tandem-{stage.name}",
            description=f"What the stage {stage.name} of Tandem keeps",
            enable_key_rotation=True,
            removal_policy=removal(stage),
        )
        self._let_logs_encrypt()

    def _let_logs_encrypt(self) -> None:
        """CloudWatch Logs has no role to grant to: the key's policy names the service and this account's log groups."""
        groups = self.format_arn(
            service="logs", resource="log-group", resource_name="*", arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        self.data.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LogGroups",
                principals=[iam.ServicePrincipal(f"logs.{self.region}.{self.url_suffix}")],
                actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            )
        )
