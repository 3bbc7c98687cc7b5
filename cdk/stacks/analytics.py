"""The lake for people: Glue, Athena, and Redshift where the stage wants it."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_athena as athena
from constructs import Construct

from cdk.analytics.catalog import catalog, lake_table
from cdk.analytics.queries import named_queries, workgroup
from cdk.analytics.statements import Place, backfill
from cdk.analytics.warehouse import Warehouse
from cdk.config import StageConfig
from cdk.parameters import tell
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
        self.workgroup = workgroup(self, stage, keys)
        database = catalog(self, stage)
        laked = [pipeline for pipeline in pipelines if pipeline.has_lake]
        for pipeline in laked:
            lake_table(self, stage, pipeline, stores.lake, database)
            named_queries(self, stage, pipeline, self.workgroup)
        if stage.redshift and laked:
            made = Warehouse(self, stage, keys=keys, network=network, stores=stores, pipelines=laked)
            self._tell(stage, made.place, laked)

    def _tell(self, stage: StageConfig, place: Place, pipelines: Sequence[AnyPipeline]) -> None:
        """Leave for people the SQL that only they can decide to run."""
        tell(self, stage, {f"backfill-{pipeline.name}": backfill(place, pipeline) for pipeline in pipelines})
