"""The names that the CDK, the manifests, the scripts and the dashboards must agree on: one source for all of them.

The names that a running process needs too are in functions/core/names.py.
A stage has 2 to 8 characters without a hyphen (functions/core/names.py says why), and a pipeline at most 48, so that a
function's name fits Lambda's 64.
"""

from typing import Final

# Operators' verbs need these, too. They are re-exported, so that the CDK app has one module of names.
from functions.core.names import LIVE as LIVE  # noqa: PLC0414
from functions.core.names import function as function  # noqa: PLC0414
from functions.core.names import namespace as namespace  # noqa: PLC0414
from functions.core.names import worker as worker  # noqa: PLC0414

RESERVED: Final = {"warehouse-tables"}  # pipelines whose function would have the name of another one of the stage


def lake_bucket(stage: str, account: str, region: str) -> str:
    """The S3 bucket of the lake, one per stage. Bucket names are global, so it contains account and region."""
    return f"tandem-{stage}-lake-{account}-{region}"


def dead_letter_bucket(stage: str, account: str, region: str) -> str:
    """The S3 bucket of the dead letters, one per stage."""
    return f"tandem-{stage}-dead-letters-{account}-{region}"


def access_log_bucket(stage: str, account: str, region: str) -> str:
    """The S3 bucket of the access logs of the other two."""
    return f"tandem-{stage}-access-logs-{account}-{region}"


def query_bucket(stage: str, account: str, region: str) -> str:
    """The S3 bucket of Athena's results."""
    return f"tandem-{stage}-queries-{account}-{region}"


def workgroup(stage: str) -> str:
    """The Athena workgroup, the Redshift workgroup and the Redshift namespace of a stage."""
    return f"tandem-{stage}"


def database(stage: str) -> str:
    """The Glue database and the Redshift schema of a stage; neither may contain hyphens."""
    return f"tandem_{stage}"


def lake_table(pipeline: str) -> str:
    """The table of a pipeline in the Glue database and in the Redshift schema."""
    return pipeline.replace("-", "_")


def kafka_cluster(stage: str, kind: str) -> str:
    """The MSK cluster of a stage. One of another kind is created before the old one is deleted, so its name differs."""
    return f"tandem-{stage}" if kind == "standard" else f"tandem-{stage}-{kind}"


def cluster(stage: str) -> str:
    """The EKS cluster of a stage."""
    return f"tandem-{stage}"


def warehouse_function(stage: str) -> str:
    """The Lambda function that makes Redshift's tables during a deployment."""
    return f"tandem-{stage}-warehouse-tables"


def repository(stage: str) -> str:
    """The ECR repository of the worker's image."""
    return f"tandem-{stage}"


def role(stage: str, pipeline: str, runtime: str) -> str:
    """The IAM role of a pipeline on one runtime. It can exceed IAM's 64 characters, see cdk/runtimes/grants.py."""
    return f"tandem-{stage}-{pipeline}-{runtime}"


def deploy_role(stage: str) -> str:
    """The IAM role that the repository's workflows assume."""
    return f"tandem-{stage}-deploy"


def scaler_role(stage: str) -> str:
    """The IAM role with which KEDA's operator reads the lag of a stage's consumer groups."""
    return f"tandem-{stage}-keda"


def mask_key_secret(stage: str) -> str:
    """The Secrets Manager secret that holds the key of masked fields."""
    return f"tandem/{stage}/mask-key"


def scram_secret(user: str) -> str:
    """The secret of a SCRAM user. MSK accepts only names that begin with AmazonMSK_."""
    return f"AmazonMSK_{user}"


def parameter(stage: str, name: str) -> str:
    """The SSM parameter that publishes one value of a stage, such as `lake-bucket`."""
    return f"/tandem/{stage}/{name}"
