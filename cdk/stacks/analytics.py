"""The lake for people: Glue, Athena, and Redshift where the stage wants it."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_athena as athena
from constructs import Construct

from cdk.config import StageConfig
from cdk.stacks.keys import Keys
from cdk.stacks.network import Network
from cdk.stacks.stores import Stores
from functions.core.pipeline import AnyPipeline


class Analytics(Stack):
    """The lake for people: Glue, Athena, and Redshift where the stage wants it."""

    workgroup: athena.CfnWorkGroup

    def __init__(
        self,
        scope: Construct,
        stage: StageConfig,
        *,
        keys: Keys,
        network: Network,
        stores: Stores,
        pipelines: Sequence[AnyPipeline],
    ) -> None:
        super().__init__(scope, "Analytics", stack_name=f"tandem-{stage.name}-analytics")
