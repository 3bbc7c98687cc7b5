"""The KMS key that encrypts a stage's data."""

from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk import references
from cdk.config import StageConfig
from cdk.keys.key import new
from cdk.parameters import publish_parameters


class KeysStack(Stack):
    """The KMS key that encrypts a stage's data. Roles use it by their own policies, services by the key's policy."""

    data: kms.IKey
    """The key of the lake, dead letters, tables, queue, secrets, logs and Kafka. An existing key's policy is managed
    elsewhere: docs/deployment.md has its statements."""

    def __init__(self, scope: Construct, stage: StageConfig) -> None:
        super().__init__(scope, "Keys", stack_name=f"tandem-{stage.name}-keys")
        self.data = kms.Key.from_key_arn(self, "Data", stage.key) if stage.key else self._new(stage)
        publish_parameters(self, stage, {"key-arn": self.data.key_arn})

    def _new(self, stage: StageConfig) -> kms.Key:
        key = new(self, stage)
        references.fix(self, [key], [key.key_arn])
        return key
