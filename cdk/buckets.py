"""The buckets that keep data: encrypted, private, versioned, with access logs.

Objects are written once, so versions cost nothing until somebody deletes: then the object can be had back for a month.
CloudFormation deletes no bucket that holds any.
"""

from typing import Final

from aws_cdk import Acknowledgment, Duration, Stack, Validations
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.config import StageConfig
from cdk.removal import removal

UNDO: Final = Duration.days(30)  # for what was deleted


class AccessLogs(s3.Bucket):
    """Who read what in the buckets that keep data. S3 writes logs only where the bucket's encryption is its own."""

    def __init__(self, scope: Construct, stage: StageConfig, name: str) -> None:
        super().__init__(
            scope,
            "AccessLogs",
            bucket_name=name,
            encryption=s3.BucketEncryption.S3_MANAGED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=[s3.LifecycleRule(id="expire", expiration=Duration.days(stage.log_days))],
            removal_policy=removal(stage),
        )
        Validations.of(self).acknowledge(
            Acknowledgment(
                id="AwsSolutions-S1", reason="It holds the access logs; to log who reads them, it would log itself."
            )
        )


class Kept(s3.Bucket):
    """A bucket of the stage's data. Its bucket key saves the request to KMS that each object would cost."""

    def __init__(  # noqa: PLR0913 - a bucket names everything that it is made of
        self,
        scope: Stack,
        id_: str,
        stage: StageConfig,
        *rules: s3.LifecycleRule,
        name: str,
        key: kms.IKey,
        logs: s3.IBucket,
    ) -> None:
        super().__init__(
            scope,
            id_,
            bucket_name=name,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            versioned=True,
            server_access_logs_bucket=logs,
            server_access_logs_prefix=f"{id_.lower()}/",
            lifecycle_rules=[*rules, *_housekeeping()],
            removal_policy=removal(stage),
        )


def _housekeeping() -> list[s3.LifecycleRule]:
    return [
        s3.LifecycleRule(
            id="undo", noncurrent_version_expiration=UNDO, abort_incomplete_multipart_upload_after=Duration.days(7)
        ),
        s3.LifecycleRule(id="markers", expired_object_delete_marker=True),
    ]
