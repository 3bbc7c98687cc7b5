"""The removal policy of resources that hold data."""

from aws_cdk import RemovalPolicy

from cdk.config import StageConfig


def removal(stage: StageConfig) -> RemovalPolicy:
    """RETAIN_ON_UPDATE_OR_DELETE if the stage is protected, otherwise DESTROY.

    Either way CloudFormation deletes the resources of a failed first deployment: they are empty, and would block the
    next one.
    """
    return RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE if stage.protected else RemovalPolicy.DESTROY
