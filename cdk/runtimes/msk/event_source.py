"""The event source mapping of a pipeline, which delivers its records from MSK to its function.

CDK's `ManagedKafkaEventSource` is not used, because it attaches a managed policy that allows everything on `*`.
There are no filter criteria: see docs/decisions/0006-no-event-source-filters.md.
"""

from hashlib import sha256
from typing import Any, Final

from cdk.config import PipelineConfig, StageConfig
from cdk.kafka.cluster import KafkaCluster
from cdk.stores.stores import Stores
from functions.core import names
from functions.core.pipeline import AnyPipeline, Start

POSITIONS: Final = {Start.EARLIEST: "TRIM_HORIZON", Start.LATEST: "LATEST"}
LEVELS: Final = {"DEBUG": "DEBUG", "INFO": "INFO", "WARNING": "WARN", "ERROR": "WARN"}  # system logs have only three
HASH_LENGTH: Final = 8
METRICS: Final = ("EventCount", "ErrorCount", "KafkaMetrics")


def properties(pipeline: AnyPipeline, stage: StageConfig, kafka: KafkaCluster, stores: Stores) -> dict[str, Any]:
    """The properties of a CfnEventSourceMapping, without its function."""
    config, group = stage.pipeline_config(pipeline.name), names.consumer_group(stage.name, pipeline.name)
    return {
        "event_source_arn": kafka.event_source_arn,
        "topics": [pipeline.topic],
        "amazon_managed_kafka_event_source_config": {"consumerGroupId": group},
        "starting_position": POSITIONS[pipeline.start],
        "batch_size": config.batch_records,
        "maximum_batching_window_in_seconds": config.window_seconds,
        "enabled": config.runtime == "msk",
        "destination_config": {"onFailure": {"destination": stores.dead_letters.bucket_arn}},
        "source_access_configurations": _access(kafka, pipeline.name),
        **_provisioned(config),
    }


def logical_id(pipeline: AnyPipeline) -> str:
    """The mapping's construct ID, another one for another topic or start.

    CloudFormation accepts another topic for a mapping and does nothing (cloudformation-coverage-roadmap #2140). With
    another ID it creates a second mapping first, and Lambda refuses that loudly, because the group has one already.
    After a deployment without a mapping it succeeds: see PipelineConfig.event_source.
    """
    fixed = f"{pipeline.topic} {pipeline.start.value}"
    return f"Mapping-{pipeline.name}-{sha256(fixed.encode()).hexdigest()[:HASH_LENGTH]}"


def _access(kafka: KafkaCluster, pipeline: str) -> list[dict[str, str]] | None:
    """The pipeline's SCRAM user; None for IAM, which uses the function's role."""
    if kafka.scram is None:
        return None
    return [{"type": "SASL_SCRAM_512_AUTH", "uri": kafka.scram.pipelines[pipeline].secret_arn}]


def _provisioned(config: PipelineConfig) -> dict[str, Any]:
    """The properties that require provisioned mode; cdk.config rejects their values without it."""
    if config.pollers is None:
        return {}
    pollers = {"minimumPollers": config.pollers.min, "maximumPollers": config.pollers.max}
    return {
        "provisioned_poller_config": pollers
        | ({"pollerGroupName": config.pollers.group} if config.pollers.group else {}),
        "metrics_config": {"metrics": list(METRICS)},
        "logging_config": {"systemLogLevel": LEVELS[config.log_level]},
        "maximum_retry_attempts": config.retries,
        "maximum_record_age_in_seconds": config.record_age_seconds,
    }
