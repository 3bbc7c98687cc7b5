"""The EKS path's AWS side: image repository, cluster, a role for each pipeline's worker."""

from collections.abc import Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.config import StageConfig
from cdk.stacks.kafka import Kafka
from cdk.stacks.keys import Keys
from cdk.stacks.network import Network
from cdk.stacks.stores import Stores
from functions.core.pipeline import AnyPipeline


class Steady(Stack):
    """The EKS path's AWS side: image repository, cluster, a role for each pipeline's worker."""

    repository: ecr.Repository
    workers: Mapping[str, iam.Role]
    """By pipeline."""

    def __init__(
        self,
        scope: Construct,
        stage: StageConfig,
        *,
        keys: Keys,
        network: Network,
        kafka: Kafka,
        stores: Stores,
        pipelines: Sequence[AnyPipeline],
    ) -> None:
        super().__init__(scope, "Steady", stack_name=f"tandem-{stage.name}-steady")
