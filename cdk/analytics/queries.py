"""Athena: one workgroup, a bucket for its results, and named queries for common questions."""

from typing import Final

from aws_cdk import Acknowledgment, Duration, Stack, Validations
from aws_cdk import aws_athena as athena
from aws_cdk import aws_s3 as s3

from cdk import names
from cdk.analytics.statements import QUERIES, query
from cdk.config import StageConfig
from cdk.keys.stack import KeysStack
from cdk.stores.buckets import PrivateBucket
from functions.core.pipeline import AnyPipeline

MAX_SCANNED_BYTES: Final = 100 * 10**9  # per query; at 5 dollars a terabyte it costs at most 50 cents
RESULTS_DAYS: Final = 30


def workgroup(stack: Stack, stage: StageConfig, keys: KeysStack) -> athena.CfnWorkGroup:
    """The stage's workgroup. Its settings override the client's: encrypted results, limited scans."""
    results = _results(stack, stage, keys)
    return athena.CfnWorkGroup(
        stack,
        "Workgroup",
        name=names.workgroup(stage.name),
        description=f"The lake of stage {stage.name}",
        recursive_delete_option=not stage.protected,  # named queries and history would prevent deletion
        work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
            enforce_work_group_configuration=True,
            publish_cloud_watch_metrics_enabled=True,
            bytes_scanned_cutoff_per_query=MAX_SCANNED_BYTES,
            engine_version=athena.CfnWorkGroup.EngineVersionProperty(selected_engine_version="Athena engine version 3"),
            result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                output_location=f"s3://{results.bucket_name}/results/",
                expected_bucket_owner=stack.account,
                encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                    encryption_option="SSE_KMS", kms_key=keys.data.key_arn
                ),
            ),
        ),
    )


def _results(stack: Stack, stage: StageConfig, keys: KeysStack) -> s3.Bucket:
    name = names.query_bucket(stage.name, stack.account, stack.region)
    expire = s3.LifecycleRule(
        id="expire",
        expiration=Duration.days(RESULTS_DAYS),
        abort_incomplete_multipart_upload_after=Duration.days(1),
    )
    bucket = PrivateBucket(stack, "Results", stage, expire, name=name, encryption_key=keys.data)
    Validations.of(bucket).acknowledge(
        Acknowledgment(
            id="AwsSolutions-S1",
            reason="It holds results for a month. Athena's history and the lake's access log show who read what.",
        )
    )
    return bucket


def named_queries(
    stack: Stack, stage: StageConfig, pipeline: AnyPipeline, athena_workgroup: athena.CfnWorkGroup
) -> None:
    """Create the queries of QUERIES for a pipeline's table; Athena's console lists them."""
    for name, description in QUERIES.items():
        named = athena.CfnNamedQuery(
            stack,
            f"Query-{pipeline.name}-{name}",
            name=f"{pipeline.name}: {name.replace('_', ' ')}",
            description=description,
            database=names.database(stage.name),
            work_group=names.workgroup(stage.name),
            query_string=query(name, stage.name, pipeline),
        )
        named.node.add_dependency(athena_workgroup)
