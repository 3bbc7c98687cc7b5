"""The Lambda runtime: one function and one event source mapping for each pipeline."""

from collections.abc import Mapping, Sequence

from aws_cdk import Stack
from constructs import Construct

from cdk.config import StageConfig
from cdk.kafka.stack import KafkaStack
from cdk.keys.stack import KeysStack
from cdk.network.stack import NetworkStack
from cdk.runtimes.msk import bundle
from cdk.runtimes.msk.function import PipelineFunction, Placement
from cdk.stores.stores import Stores
from functions.core.pipeline import AnyPipeline


class LambdaStack(Stack):
    """The Lambda runtime: one function and one event source mapping for each pipeline."""

    functions: Mapping[str, PipelineFunction]
    """By pipeline."""

    def __init__(
        self,
        scope: Construct,
        stage: StageConfig,
        *,
        keys: KeysStack,
        network: NetworkStack,
        kafka: KafkaStack,
        stores: Stores,
        pipelines: Sequence[AnyPipeline],
    ) -> None:
        super().__init__(scope, "Lambda", stack_name=f"tandem-{stage.name}-lambda")
        placement, code = Placement(network.vpc, network.private, network.clients), bundle.code()
        self.functions = {
            pipeline.name: PipelineFunction(
                self, stage, pipeline, key=keys.data, placement=placement, kafka=kafka, stores=stores, code=code
            )
            for pipeline in pipelines
        }
