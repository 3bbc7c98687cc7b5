"""The environment variables of both runtimes, as functions.settings reads them: one source for Lambda and EKS.

A test compares their names with functions.settings.
"""

from collections.abc import Sequence
from typing import Final

from cdk import external
from cdk.config import StageConfig
from cdk.kafka.cluster import KafkaCluster
from cdk.stores.stores import Stores
from functions.core.pipeline import AnyPipeline

METRICS_SECONDS: Final = (
    "60"  # between a worker's calls: the period of the alarms, and CloudWatch charges for each call
)

REDSHIFT_TEXT_BYTES: Final = "65535"  # of VARCHAR(MAX): a longer text fails the load of its whole file


def common(stage: StageConfig, kafka: KafkaCluster, stores: Stores) -> dict[str, str]:
    """The variables of every process of a stage, on either runtime."""
    variables = {
        "TANDEM_STAGE": stage.name,
        "TANDEM_LAKE_BUCKET": stores.lake.bucket_name,
        "TANDEM_DEAD_LETTER_BUCKET": stores.dead_letters.bucket_name,
        "TANDEM_MASK_KEY_FROM": stores.mask_key.secret_arn,
        "TANDEM_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "TANDEM_KAFKA_AUTH": stage.kafka_auth,
    }
    if stage.redshift is not None:
        variables["TANDEM_MAX_TEXT_BYTES"] = REDSHIFT_TEXT_BYTES
    return variables


def function_variables(
    pipeline: AnyPipeline, stage: StageConfig, kafka: KafkaCluster, stores: Stores
) -> dict[str, str]:
    """The variables of a function. Lambda sets AWS_REGION and does not allow others to."""
    return {
        **common(stage, kafka, stores),
        **({"TANDEM_SCRAM_FROM": kafka.scram.pipelines[pipeline.name].secret_arn} if kafka.scram else {}),
        **external.variables(stage, [pipeline]),
        "TANDEM_PIPELINE": pipeline.name,
        "TANDEM_LOG_LEVEL": stage.pipeline_config(pipeline.name).log_level,
    }


def worker_env(pipelines: Sequence[AnyPipeline], stage: StageConfig, kafka: KafkaCluster, stores: Stores) -> str:
    """The whole file `stage.env` of the stage's overlay. A worker's manifest adds pipeline and rack."""
    variables = {
        **common(stage, kafka, stores),
        **_users(kafka),
        **external.variables(stage, pipelines),
        "AWS_REGION": stage.region,
        "TANDEM_CLOUDWATCH_SECONDS": METRICS_SECONDS,
    }
    return "".join(f"{name}={value}\n" for name, value in variables.items())


def _users(kafka: KafkaCluster) -> dict[str, str]:
    """Where workers find the user of their pipeline, and operators' commands theirs, which no worker may read."""
    if kafka.scram is None:
        return {}
    return {"TANDEM_SCRAM_FROM": kafka.scram.location, "TANDEM_ADMIN_SCRAM_FROM": kafka.scram.admin.secret_arn}
