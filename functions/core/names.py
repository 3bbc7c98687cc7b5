"""The names that runtimes, sandbox, CDK and manifests must agree on: one source for all of them.

Law: a stage's name has no hyphen, so the first hyphen after it ends it. Otherwise stage `a` with pipeline `b-c` and
stage `a-b` with pipeline `c` would share a consumer group, and a pattern for the names of `a` would match more.
"""

from typing import Final

LIVE: Final = "live"
SANDBOX: Final = "sandbox"  # the stage on a developer's machine


def consumer_group(stage: str, pipeline: str) -> str:
    """The Kafka consumer group of a pipeline, the same on both runtimes."""
    return f"{stage}-{pipeline}"


def ledger_table(stage: str) -> str:
    """The DynamoDB table of the ledger, one per stage."""
    return f"tandem-{stage}-ledger"


def counters_table(stage: str) -> str:
    """The DynamoDB table of all counters, one per stage."""
    return f"tandem-{stage}-counters"


def rows_table(stage: str, table: str) -> str:
    """The DynamoDB table of one Table sink."""
    return f"tandem-{stage}-table-{table}"


def seen_table(stage: str) -> str:
    """The DynamoDB table of the events that pipelines with Dedup have seen, one per stage."""
    return f"tandem-{stage}-seen"


def dead_letter_queue(stage: str) -> str:
    """The SQS queue that announces every dead letter, one per stage."""
    return f"tandem-{stage}-dead-letters"


def sink_variable(sink: str) -> str:
    """The environment variable that says where the secret of a sink of your own is."""
    return f"TANDEM_SINK_{sink.upper().replace('-', '_')}_FROM"


def kafka_user(stage: str, pipeline: str) -> str:
    """The SCRAM user of a pipeline on both runtimes. Pipelines have no `_`, so no pipeline has another user's name.

    It ends with a word of its own: Secrets Manager takes a hyphen and six characters at the end of an ARN for its own.
    """
    return f"{kafka_users(stage)}{pipeline}_pipeline"


def admin_user(stage: str) -> str:
    """The SCRAM user of operators."""
    return f"{kafka_users(stage)}admin"


def scaler_user(stage: str) -> str:
    """The SCRAM user of KEDA's operator."""
    return f"{kafka_users(stage)}keda"


def kafka_users(stage: str) -> str:
    """The prefix of all SCRAM users of a stage, and of no other stage."""
    return f"tandem_{stage}_"


def function(stage: str, pipeline: str) -> str:
    """The Lambda function of a pipeline. Its alias LIVE is what the event source mapping invokes."""
    return f"tandem-{stage}-{pipeline}"


def namespace(stage: str) -> str:
    """The Kubernetes namespace of a stage."""
    return f"tandem-{stage}"


def worker(pipeline: str) -> str:
    """The Kubernetes objects of a pipeline: Deployment, Service, ServiceAccount and so on."""
    return f"worker-{pipeline}"


def runtime_parameter(stage: str, pipeline: str) -> str:
    """The SSM parameter with the runtime that a pipeline was handed over to."""
    return f"/tandem/{stage}/runtime/{pipeline}"
