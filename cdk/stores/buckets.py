"""The buckets: encrypted and private. Buckets of data are also versioned and have access logs.

Objects are written once, so versions cost nothing until an object is deleted. It can be restored for a month.
CloudFormation does not delete a bucket that contains objects.
"""

from typing import Any, Final

from aws_cdk import Acknowledgment, Duration, Validations
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk.config import StageConfig
from cdk.removal import removal

RESTORABLE: Final = Duration.days(30)  # time in which a deleted object can be restored


class PrivateBucket(s3.Bucket):
    """The settings of every bucket. With a bucket key, S3 does not call KMS for each object."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        stage: StageConfig,
        *rules: s3.LifecycleRule,
        name: str,
        encryption_key: kms.IKey | None,
        **more: Any,  # noqa: ANN401 - the arguments of s3.Bucket
    ) -> None:
        """With None as `encryption_key`, S3 encrypts with its own key."""
        super().__init__(
            scope,
            id_,
            bucket_name=name,
            encryption=s3.BucketEncryption.KMS if encryption_key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=encryption_key,
            bucket_key_enabled=True if encryption_key else None,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            lifecycle_rules=list(rules),
            removal_policy=removal(stage),
            **more,
        )


class AccessLogBucket(PrivateBucket):
    """The access logs of the buckets of data. S3 can write them only to a bucket that it encrypts with its own key."""

    def __init__(self, scope: Construct, stage: StageConfig, name: str) -> None:
        expire = s3.LifecycleRule(id="expire", expiration=Duration.days(stage.log_days))
        super().__init__(scope, "AccessLogs", stage, expire, name=name, encryption_key=None)
        Validations.of(self).acknowledge(
            Acknowledgment(
                id="AwsSolutions-S1", reason="It holds the access logs; logging access to it would write to it again."
            )
        )


class DataBucket(PrivateBucket):
    """A bucket for the stage's data."""

    def __init__(  # noqa: PLR0913 - the parts that a bucket consists of
        self,
        scope: Construct,
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
            encryption_key=key,
            versioned=True,
            server_access_logs_bucket=logs,
            server_access_logs_prefix=f"{id_.lower()}/",
        )


def _housekeeping() -> list[s3.LifecycleRule]:
    return [
        s3.LifecycleRule(
            id="undo",
            noncurrent_version_expiration=RESTORABLE,
            abort_incomplete_multipart_upload_after=Duration.days(7),
        ),
        s3.LifecycleRule(id="markers", expired_object_delete_marker=True),
    ]
