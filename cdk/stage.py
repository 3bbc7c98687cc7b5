"""A stage: which stacks it has, and what each is handed of the others. The order is the order of deployment."""

from collections.abc import Sequence

from aws_cdk import Environment, Stack, Stage, Tags
from constructs import Construct

from cdk.acknowledged import acknowledge
from cdk.choices import NoEks
from cdk.config import StageConfig
from cdk.stacks.analytics import Analytics
from cdk.stacks.bursty import Bursty
from cdk.stacks.delivery import Delivery
from cdk.stacks.kafka import Kafka
from cdk.stacks.keys import Keys
from cdk.stacks.network import Network
from cdk.stacks.steady import Steady
from cdk.stacks.stores import Stores
from cdk.stacks.watch import Watch
from functions.core.pipeline import AnyPipeline


class TandemStage(Stage):
    """Everything of one stage: `cdk deploy "dev/*"`."""

    def __init__(self, scope: Construct, stage: StageConfig, pipelines: Sequence[AnyPipeline]) -> None:
        super().__init__(scope, stage.name, env=Environment(account=stage.account, region=stage.region))
        Tags.of(self).add("tandem:stage", stage.name)
        keys = Keys(self, stage)
        network = Network(self, stage, keys=keys, pipelines=pipelines)
        kafka = Kafka(self, stage, keys=keys, network=network, pipelines=pipelines)
        stores = Stores(self, stage, keys=keys, pipelines=pipelines)
        Analytics(self, stage, keys=keys, network=network, stores=stores, pipelines=pipelines)
        delivery = Delivery(self, stage) if stage.github else None
        Bursty(self, stage, keys=keys, network=network, kafka=kafka, stores=stores, pipelines=pipelines)
        if not isinstance(stage.eks, NoEks):
            steady = Steady(self, stage, keys=keys, network=network, kafka=kafka, stores=stores, pipelines=pipelines)
            if delivery:
                steady.add_stack_dependency(delivery, "EKS gives access only to a role that is there")
        Watch(self, stage, keys=keys, kafka=kafka, pipelines=pipelines)
        for child in self.node.children:
            if isinstance(child, Stack):
                child.termination_protection = stage.protected
        acknowledge(self)
