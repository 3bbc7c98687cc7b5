"""The Lambda path: one function and one event source mapping for each pipeline."""

from collections.abc import Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_lambda as awslambda
from constructs import Construct

from cdk.config import StageConfig
from cdk.stacks.kafka import Kafka
from cdk.stacks.keys import Keys
from cdk.stacks.network import Network
from cdk.stacks.stores import Stores
from functions.core.pipeline import AnyPipeline


class Bursty(Stack):
    """The Lambda path: one function and one event source mapping for each pipeline."""

    functions: Mapping[str, awslambda.Function]
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
        super().__init__(scope, "Bursty", stack_name=f"tandem-{stage.name}-bursty")
