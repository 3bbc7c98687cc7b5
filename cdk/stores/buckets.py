"""The buckets: encrypted and private, and where they keep data versioned, with access logs.

Objects are written once, so versions cost nothing until somebody deletes: then the object can be had back for a month.
CloudFormation deletes no bucket that holds any.
"""

from typing import Any, Final

from aws_cdk import Acknowledgment, Duration, Stack, Validations
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.config import StageConfig
from cdk.removal import removal

UNDO: Final = Duration.days(30)  # for what was deleted


class Private(s3.Bucket):
    """What every bucket is. A bucket key saves the request to KMS that each object would cost."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        stage: StageConfig,
        *rules: s3.LifecycleRule,
        name: str,
        key: kms.IKey | None,
        **more: Any,  # noqa: ANN401 - the bucket's own
    ) -> None:
        """Without a `key` the encryption is S3's own."""
        super().__init__(
            scope,
            id_,
            bucket_name=name,
            encryption=s3.BucketEncryption.KMS if key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=key,
            bucket_key_enabled=True if key else None,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=list(rules),
            removal_policy=removal(stage),
            **more,
        )


class AccessLogs(Private):
    """Who read what in the buckets that keep data. S3 writes logs only where the bucket's encryption is its own."""

    def __init__(self, scope: Construct, stage: StageConfig, name: str) -> None:
        expire = s3.LifecycleRule(id="expire", expiration=Duration.days(stage.log_days))
        super().__init__(scope, "AccessLogs", stage, expire, name=name, key=None)
        Validations.of(self).acknowledge(
            Acknowledgment(
                id="AwsSolutions-S1", reason="It holds the access logs; to log who reads them, it would log itself."
            )
        )


class Kept(Private):
    """A bucket of the stage's data."""

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
            stage,
            *rules,
            *_housekeeping(),
            name=name,
            key=key,
            versioned=True,
            server_access_logs_bucket=logs,
            server_access_logs_prefix=f"{id_.lower()}/",
        )


def _housekeeping() -> list[s3.LifecycleRule]:
    return [
        s3.LifecycleRule(
            id="undo", noncurrent_version_expiration=UNDO, abort_incomplete_multipart_upload_after=Duration.days(7)
        ),
        s3.LifecycleRule(id="markers", expired_object_delete_marker=True),
    ]
