"""The names that code, CDK, manifests and dashboards must agree on: one source for all of them.

Lengths: a stage takes 2 to 8 characters and a pipeline at most 48, so that a function's name fits Lambda's 64.
"""

from typing import Final

LIVE: Final = "live"


def group(stage: str, pipeline: str) -> str:
    """The consumer group, the same for both runtimes."""
    return f"{stage}-{pipeline}"


def ledger_table(stage: str) -> str:
    """The DynamoDB table of the ledger, one a stage."""
    return f"tandem-{stage}-ledger"


def counters_table(stage: str) -> str:
    """The DynamoDB table of all counters, one a stage."""
    return f"tandem-{stage}-counters"


def rows_table(stage: str, table: str) -> str:
    """The DynamoDB table of one Table sink."""
    return f"tandem-{stage}-table-{table}"


def dead_letter_queue(stage: str) -> str:
    """The SQS queue in which every dead letter is announced, one a stage."""
    return f"tandem-{stage}-dead-letters"


def lake_bucket(stage: str, account: str, region: str) -> str:
    """The S3 bucket of the lake, one a stage; bucket names are global, so account and region are in it."""
    return f"tandem-{stage}-lake-{account}-{region}"


def dead_letter_bucket(stage: str, account: str, region: str) -> str:
    """The S3 bucket of the dead letters, one a stage."""
    return f"tandem-{stage}-dead-letters-{account}-{region}"


def access_log_bucket(stage: str, account: str, region: str) -> str:
    """The S3 bucket that tells who read the other two."""
    return f"tandem-{stage}-access-logs-{account}-{region}"


def query_bucket(stage: str, account: str, region: str) -> str:
    """The S3 bucket of Athena's results."""
    return f"tandem-{stage}-queries-{account}-{region}"


def workgroup(stage: str) -> str:
    """The workgroups of a stage, Athena's and Redshift's, and Redshift's namespace."""
    return f"tandem-{stage}"


def database(stage: str) -> str:
    """The Glue database and the Redshift schema of a stage; neither takes hyphens."""
    return f"tandem_{stage.replace('-', '_')}"


def lake_table(pipeline: str) -> str:
    """A pipeline's table in that database."""
    return pipeline.replace("-", "_")


def cluster(stage: str) -> str:
    """The MSK cluster of a stage, and its EKS cluster."""
    return f"tandem-{stage}"


def function(stage: str, pipeline: str) -> str:
    """The Lambda function of a pipeline; its live alias is LIVE."""
    return f"tandem-{stage}-{pipeline}"


def repository(stage: str) -> str:
    """The ECR repository of the worker's image."""
    return f"tandem-{stage}"


def namespace(stage: str) -> str:
    """The Kubernetes namespace of a stage."""
    return f"tandem-{stage}"


def worker(pipeline: str) -> str:
    """A pipeline's Kubernetes objects: deployment, service, service account and their kin."""
    return f"worker-{pipeline}"


def role(stage: str, pipeline: str, runtime: str) -> str:
    """The IAM role of a pipeline on one runtime; IAM takes 64 characters, so a long name is CDK's to cut."""
    return f"tandem-{stage}-{pipeline}-{runtime}"


def deploy_role(stage: str) -> str:
    """The IAM role that the repository's workflows take on."""
    return f"tandem-{stage}-deploy"


def scaler_role(stage: str) -> str:
    """The IAM role in which KEDA's operator asks for the lag of a stage's groups."""
    return f"tandem-{stage}-keda"


def mask_key_secret(stage: str) -> str:
    """The Secrets Manager secret with the key of masked fields."""
    return f"tandem/{stage}/mask-key"


def scram_secret(stage: str) -> str:
    """The secret of the SCRAM user; MSK takes only names that begin so."""
    return f"AmazonMSK_tandem_{stage}"


def parameter(stage: str, name: str) -> str:
    """The SSM parameter in which CDK leaves a value of a stage for the manifests, such as `lake-bucket`."""
    return f"/tandem/{stage}/{name}"
