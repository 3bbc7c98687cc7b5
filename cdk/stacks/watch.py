"""Dashboards and alarms for both runtimes."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk.config import StageConfig
from cdk.stacks.bursty import Bursty
from cdk.stacks.kafka import Kafka
from cdk.stacks.keys import Keys
from cdk.stacks.stores import Stores
from functions.core.pipeline import AnyPipeline


class Watch(Stack):
    """Dashboards and alarms for both runtimes."""

    alarms: sns.Topic

    def __init__(
        self,
        scope: Construct,
        stage: StageConfig,
        *,
        keys: Keys,
        kafka: Kafka,
        stores: Stores,
        bursty: Bursty,
        pipelines: Sequence[AnyPipeline],
    ) -> None:
        super().__init__(scope, "Watch", stack_name=f"tandem-{stage.name}-watch")
