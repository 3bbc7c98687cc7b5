"""The key that encrypts what a stage keeps."""

from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk.config import StageConfig


class Keys(Stack):
    """The key that encrypts what a stage keeps."""

    data: kms.Key
    """Of the lake, dead letters, tables, queue, secrets, logs, Kafka."""

    def __init__(self, scope: Construct, stage: StageConfig) -> None:
        super().__init__(scope, "Keys", stack_name=f"tandem-{stage.name}-keys")
        self.data = kms.Key(self, "Data", alias=f"tandem-{stage.name}", enable_key_rotation=True)
