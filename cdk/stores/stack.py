"""The stack of a stage's stores."""

from collections.abc import Sequence

from aws_cdk import Stack
from constructs import Construct

from cdk.config import StageConfig
from cdk.keys.stack import KeysStack
from cdk.parameters import publish_parameters
from cdk.stores.stores import Stores
from functions.core.pipeline import AnyPipeline


class StoresStack(Stack):
    """The stack of a stage's stores."""

    stores: Stores

    def __init__(
        self, scope: Construct, stage: StageConfig, *, keys: KeysStack, pipelines: Sequence[AnyPipeline]
    ) -> None:
        super().__init__(scope, "Stores", stack_name=f"tandem-{stage.name}-stores")
        self.stores = Stores(self, stage, key=keys.data, pipelines=pipelines)
        self._publish(stage)

    def _publish(self, stage: StageConfig) -> None:
        """Publish names and addresses for manifests and operators."""
        stores = self.stores
        values = {
            "lake-bucket": stores.lake.bucket_name,
            "dead-letter-bucket": stores.dead_letters.bucket_name,
            "dead-letter-queue-url": stores.dead_letter_queue.queue_url,
            "mask-key-secret-arn": stores.mask_key.secret_arn,
        }
        publish_parameters(self, stage, values)
