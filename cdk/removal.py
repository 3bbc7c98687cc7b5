"""What becomes of things with data in them when their stack goes."""

from aws_cdk import RemovalPolicy

from cdk.config import StageConfig


def removal(stage: StageConfig) -> RemovalPolicy:
    """They stay where the stage is protected, and go with the stack elsewhere.

    What a failed first deployment had made goes in any case: it holds nothing, and would be in the next one's way.
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if stage.protected else RemovalPolicy.DESTROY
