"""The event source mapping of a pipeline: what brings its records from MSK to its function.

The CDK's own `ManagedKafkaEventSource` is not used: it attaches a managed policy that allows everything on `*`.
There are no filter criteria: see docs/decisions/0006-no-event-source-filters.md.
"""

from typing import Any, Final

from cdk.config import Run, StageConfig
from cdk.stacks.kafka import Kafka
from cdk.stacks.stores import Stores
from functions.core import names
from functions.core.pipeline import AnyPipeline, Start

POSITIONS: Final = {Start.EARLIEST: "TRIM_HORIZON", Start.LATEST: "LATEST"}
LEVELS: Final = {"DEBUG": "DEBUG", "INFO": "INFO", "WARNING": "WARN", "ERROR": "WARN"}  # of system logs there are three
METRICS: Final = ("EventCount", "ErrorCount", "KafkaMetrics")


def properties(pipeline: AnyPipeline, stage: StageConfig, kafka: Kafka, stores: Stores) -> dict[str, Any]:
    """Of a CfnEventSourceMapping, but for the function.

    Group and topic cannot be changed later: CloudFormation would make another mapping.
    """
    run = stage.run(pipeline.name)
    return {
        "event_source_arn": kafka.cluster_arn,
        "topics": [pipeline.topic],
        "amazon_managed_kafka_event_source_config": {"consumerGroupId": names.group(stage.name, pipeline.name)},
        "starting_position": POSITIONS[pipeline.start],
        "batch_size": run.batch_records,
        "maximum_batching_window_in_seconds": run.window_seconds,
        "enabled": run.runtime == "msk",
        "destination_config": {"onFailure": {"destination": stores.dead_letters.bucket_arn}},
        "source_access_configurations": _access(kafka),
        **_provisioned(run),
    }


def _access(kafka: Kafka) -> list[dict[str, str]] | None:
    """None is IAM, with the function's role."""
    if kafka.scram_secret is None:
        return None
    return [{"type": "SASL_SCRAM_512_AUTH", "uri": kafka.scram_secret.secret_arn}]


def _provisioned(run: Run) -> dict[str, Any]:
    """What a mapping takes only in provisioned mode; cdk.config has seen to it that nothing of it is asked without."""
    if run.pollers is None:
        return {}
    pollers = {"minimumPollers": run.pollers.least, "maximumPollers": run.pollers.most}
    return {
        "provisioned_poller_config": pollers | ({"pollerGroupName": run.pollers.group} if run.pollers.group else {}),
        "metrics_config": {"metrics": list(METRICS)},
        "logging_config": {"systemLogLevel": LEVELS[run.log_level]},
        "maximum_retry_attempts": run.retries,
        "maximum_record_age_in_seconds": run.record_age_seconds,
    }
