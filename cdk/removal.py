"""What becomes of things with data in them when their stack goes."""

from aws_cdk import RemovalPolicy

from cdk.config import StageConfig


def removal(stage: StageConfig) -> RemovalPolicy:
    """They stay where the stage is protected, and go with the stack elsewhere."""
    return RemovalPolicy.RETAIN if stage.protected else RemovalPolicy.DESTROY
