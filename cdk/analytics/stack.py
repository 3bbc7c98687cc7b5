"""Queries on the lake: Glue, Athena, and Redshift if the stage has it."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_athena as athena
from constructs import Construct

from cdk.analytics.catalog import catalog, lake_table
from cdk.analytics.queries import named_queries, workgroup
from cdk.analytics.statements import LoadSettings, backfill
from cdk.analytics.warehouse import Warehouse
from cdk.config import StageConfig
from cdk.keys.stack import KeysStack
from cdk.network.stack import NetworkStack
from cdk.parameters import publish_parameters
from cdk.stores.stores import Stores
from functions.core.pipeline import AnyPipeline


class AnalyticsStack(Stack):
    """Queries on the lake: Glue, Athena, and Redshift if the stage has it."""

    workgroup: athena.CfnWorkGroup

    def __init__(
        self,
        scope: Construct,
        stage: StageConfig,
        *,
        keys: KeysStack,
        network: NetworkStack,
        stores: Stores,
        pipelines: Sequence[AnyPipeline],
    ) -> None:
        super().__init__(scope, "Analytics", stack_name=f"tandem-{stage.name}-analytics")
        self.workgroup = workgroup(self, stage, keys)
        database = catalog(self, stage)
        with_lake = [pipeline for pipeline in pipelines if pipeline.has_lake]
        for pipeline in with_lake:
            lake_table(self, stage, pipeline, stores.lake, database)
            named_queries(self, stage, pipeline, self.workgroup)
        if stage.redshift and with_lake:
            redshift = Warehouse(self, stage, keys=keys, network=network, stores=stores, pipelines=with_lake)
            self._publish(stage, redshift.settings, with_lake)

    def _publish(self, stage: StageConfig, load_settings: LoadSettings, pipelines: Sequence[AnyPipeline]) -> None:
        """Publish the SQL of the backfill, which an operator runs when needed."""
        values = {f"backfill-{pipeline.name}": backfill(load_settings, pipeline) for pipeline in pipelines}
        publish_parameters(self, stage, values)
