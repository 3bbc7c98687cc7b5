"""A stage: its stacks, and what each receives from the others. The order is the order of deployment."""

from collections.abc import Sequence

from aws_cdk import Environment, PermissionsBoundary, Stack, Stage, Tags
from constructs import Construct

from cdk.acknowledged import acknowledge
from cdk.analytics.stack import AnalyticsStack
from cdk.choices import NoEks
from cdk.config import StageConfig
from cdk.delivery.stack import DeployRoleStack
from cdk.kafka.stack import KafkaStack
from cdk.keys.stack import KeysStack
from cdk.monitoring.stack import MonitoringStack
from cdk.network.stack import NetworkStack
from cdk.runtimes.msk.stack import LambdaStack
from cdk.runtimes.worker.stack import EksStack
from cdk.stores.stack import StoresStack
from functions.core.pipeline import AnyPipeline


class TandemStage(Stage):
    """All stacks of one stage; `cdk deploy "dev/*"` deploys them."""

    def __init__(self, scope: Construct, stage: StageConfig, pipelines: Sequence[AnyPipeline]) -> None:
        super().__init__(
            scope,
            stage.name,
            env=Environment(account=stage.account, region=stage.region),
            permissions_boundary=_boundary(stage),
        )
        self.node.set_context("@aws-cdk/core:bootstrapQualifier", stage.bootstrap_qualifier)
        Tags.of(self).add("tandem:stage", stage.name)
        keys = KeysStack(self, stage)
        network = NetworkStack(self, stage, keys=keys, pipelines=pipelines)
        kafka = KafkaStack(self, stage, keys=keys, network=network, pipelines=pipelines)
        stores = StoresStack(self, stage, keys=keys, pipelines=pipelines).stores
        AnalyticsStack(self, stage, keys=keys, network=network, stores=stores, pipelines=pipelines)
        deploy_role = DeployRoleStack(self, stage, pipelines=pipelines) if stage.github else None
        LambdaStack(self, stage, keys=keys, network=network, kafka=kafka, stores=stores, pipelines=pipelines)
        if not isinstance(stage.eks, NoEks):
            eks = EksStack(self, stage, keys=keys, network=network, kafka=kafka, stores=stores, pipelines=pipelines)
            if deploy_role:
                eks.add_stack_dependency(deploy_role, "EKS grants access only to a role that exists")
        MonitoringStack(self, stage, keys=keys, kafka=kafka, pipelines=pipelines)
        for child in self.node.children:
            if isinstance(child, Stack):
                child.termination_protection = stage.protected
        acknowledge(self)


def _boundary(stage: StageConfig) -> PermissionsBoundary | None:
    return PermissionsBoundary.from_arn(stage.permissions_boundary) if stage.permissions_boundary else None
