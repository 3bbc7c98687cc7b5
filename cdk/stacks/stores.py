"""What settling writes to: lake, dead letters, ledger, counters, tables; and the key of masked fields."""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Acknowledgment, Duration, Stack, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.analytics.loads import let_redshift_listen
from cdk.config import StageConfig
from cdk.parameters import tell
from cdk.removal import removal
from cdk.stacks.keys import Keys
from cdk.stores.announce import announce
from cdk.stores.buckets import AccessLogs, Kept
from functions.core import names
from functions.core.kinds import Integer
from functions.core.pipeline import AnyPipeline

STRING, NUMBER = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER
KEY_CHARACTERS: Final = 64  # of the mask key, each a byte: as many as blake2b takes, and over 380 bits of chance

Key = tuple[str, dynamodb.AttributeType]


class Stores(Stack):
    """What settling writes to: lake, dead letters, ledger, counters, tables; and the key of masked fields."""

    lake: s3.Bucket
    dead_letters: s3.Bucket
    dead_letter_queue: sqs.Queue
    ledger: dynamodb.TableV2
    counters: dynamodb.TableV2
    tables: Mapping[str, dynamodb.TableV2]
    """By the name of the Table sink."""
    mask_key: secretsmanager.Secret

    def __init__(self, scope: Construct, stage: StageConfig, *, keys: Keys, pipelines: Sequence[AnyPipeline]) -> None:
        super().__init__(scope, "Stores", stack_name=f"tandem-{stage.name}-stores")
        self._stage, self._keys = stage, keys
        self._buckets()
        self.dead_letter_queue = announce(self, stage, self.dead_letters, keys)
        self.ledger = self._table("Ledger", names.ledger_table(stage.name), ("pipeline", STRING), ("partition", STRING))
        self.counters = self._table(
            "Counters", names.counters_table(stage.name), ("counter", STRING), ("bucket", STRING)
        )
        self.tables = {
            sink.name: self._table(
                f"Table-{sink.name}", names.rows_table(stage.name, sink.name), _key(pipeline, sink.key)
            )
            for pipeline in pipelines
            for sink in pipeline.tables
        }
        self.mask_key = self._mask_key()
        self._tell()

    def _buckets(self) -> None:
        stage, place = self._stage, (self._stage.name, self.account, self.region)
        key, logs = self._keys.data, AccessLogs(self, stage, names.access_log_bucket(*place))
        self.lake = Kept(self, "Lake", stage, *_aging(stage), name=names.lake_bucket(*place), key=key, logs=logs)
        self.dead_letters = Kept(self, "DeadLetters", stage, name=names.dead_letter_bucket(*place), key=key, logs=logs)
        if stage.redshift:
            let_redshift_listen(self.lake)

    def _table(self, name: str, table: str, *key: Key) -> dynamodb.TableV2:
        attributes = [dynamodb.Attribute(name=part, type=kind) for part, kind in key]
        return dynamodb.TableV2(
            self,
            name,
            table_name=table,
            partition_key=attributes[0],
            sort_key=attributes[1] if attributes[1:] else None,
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(self._keys.data),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._stage.protected,
            removal_policy=removal(self._stage),
        )

    def _mask_key(self) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self,
            "MaskKey",
            secret_name=names.mask_key_secret(self._stage.name),
            description="The key of masked fields. With another one the same person gets another mask.",
            encryption_key=self._keys.data,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=KEY_CHARACTERS, exclude_punctuation=True, include_space=False
            ),
            removal_policy=removal(self._stage),
        )
        Validations.of(secret).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SMG4",
                reason="A rotated key would mask the same person differently, and rows could no longer be joined.",
            )
        )
        return secret

    def _tell(self) -> None:
        """Leave for the manifests and for people where things are."""
        values = {
            "lake-bucket": self.lake.bucket_name,
            "dead-letter-bucket": self.dead_letters.bucket_name,
            "dead-letter-queue-url": self.dead_letter_queue.queue_url,
            "mask-key-secret-arn": self.mask_key.secret_arn,
        }
        tell(self, self._stage, values)


def _key(pipeline: AnyPipeline, field: str) -> Key:
    return field, NUMBER if isinstance(pipeline.schema.kind(field), Integer) else STRING


def _aging(stage: StageConfig) -> list[s3.LifecycleRule]:
    """What becomes of the lake's objects. S3 leaves those below 128 KiB where they are: moving them costs more."""
    moved, gone = stage.lake.infrequent_after_days, stage.lake.expire_after_days
    move = s3.Transition(storage_class=s3.StorageClass.INFREQUENT_ACCESS, transition_after=Duration.days(moved))
    rules = [] if gone and gone <= moved else [s3.LifecycleRule(id="infrequent", transitions=[move])]
    return [*rules, s3.LifecycleRule(id="expire", expiration=Duration.days(gone))] if gone else rules
