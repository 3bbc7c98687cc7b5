"""The stores of a stage: lake, dead letters, ledger, counters, tables; and the key of masked fields."""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Acknowledgment, Duration, Stack, Validations
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk import names
from cdk.config import StageConfig
from cdk.removal import removal
from cdk.stores.announce import announce
from cdk.stores.buckets import AccessLogBucket, DataBucket
from cdk.stores.conditional_puts import require_conditions
from cdk.stores.redshift_access import let_redshift_subscribe
from functions.core.column_types import Integer
from functions.core.names import counters_table, ledger_table, rows_table, seen_table
from functions.core.pipeline import AnyPipeline

STRING, NUMBER = dynamodb.AttributeType.STRING, dynamodb.AttributeType.NUMBER
LETTERS: Final = (
    "*/reason=*",
    "*/quarantine/*",
)  # not `aws/lambda/`, where event source mappings put without condition
KEY_CHARACTERS: Final = 64  # of the mask key, one byte each: the most that blake2b supports, over 380 random bits

KeyAttribute = tuple[str, dynamodb.AttributeType]  # name and type


class Stores:
    """The stores of a stage: lake, dead letters, ledger, counters, tables; and the key of masked fields."""

    lake: s3.Bucket
    dead_letters: s3.Bucket
    dead_letter_queue: sqs.Queue
    ledger: dynamodb.TableV2
    counters: dynamodb.TableV2
    tables: Mapping[str, dynamodb.TableV2]
    """Tables by the name of the Table sink."""
    seen: dynamodb.TableV2 | None
    """The events that pipelines with Dedup have seen."""
    mask_key: secretsmanager.Secret

    def __init__(
        self, scope: Construct, stage: StageConfig, *, key: kms.IKey, pipelines: Sequence[AnyPipeline]
    ) -> None:
        self._scope, self._stage, self._key = scope, stage, key
        self._buckets()
        self.dead_letter_queue = announce(scope, stage, self.dead_letters, key)
        self.ledger = self._table("Ledger", ledger_table(stage.name), ("pipeline", STRING), ("partition", STRING))
        expire = any(sink.expire_after for pipeline in pipelines for sink in pipeline.counters)
        self.counters = self._table(
            "Counters",
            counters_table(stage.name),
            ("counter", STRING),
            ("bucket", STRING),
            expires="expires" if expire else None,
        )
        self.tables = {
            sink.name: self._table(
                f"Table-{sink.name}",
                rows_table(stage.name, sink.name),
                *(_key(pipeline, name) for name in sink.key_fields),
                expires="_expires" if sink.expire_after else None,
            )
            for pipeline in pipelines
            for sink in pipeline.tables
        }
        self.seen = None
        if any(pipeline.dedup for pipeline in pipelines):
            self.seen = self._table("Seen", seen_table(stage.name), ("event", STRING), expires="expires")
        self.mask_key = self._mask_key()

    def _buckets(self) -> None:
        stage, stack, key = self._stage, Stack.of(self._scope), self._key
        place = (stage.name, stack.account, stack.region)
        logs = AccessLogBucket(self._scope, stage, names.access_log_bucket(*place))
        self.lake = DataBucket(
            self._scope, "Lake", stage, *_lifecycle(stage), name=names.lake_bucket(*place), key=key, logs=logs
        )
        self.dead_letters = DataBucket(
            self._scope,
            "DeadLetters",
            stage,
            *_expiry(stage.dead_letters.expire_after_days),
            name=names.dead_letter_bucket(*place),
            key=key,
            logs=logs,
        )
        require_conditions(self.lake, ["*"])
        require_conditions(self.dead_letters, LETTERS)
        if stage.redshift:
            let_redshift_subscribe(self.lake)

    def _table(self, name: str, table: str, *attributes: KeyAttribute, expires: str | None = None) -> dynamodb.TableV2:
        """A table with this key. `expires`: the attribute with the Unix seconds after which an item may be deleted."""
        key = [dynamodb.Attribute(name=field, type=type_) for field, type_ in attributes]
        return dynamodb.TableV2(
            self._scope,
            name,
            table_name=table,
            partition_key=key[0],
            sort_key=key[1] if key[1:] else None,
            time_to_live_attribute=expires,
            billing=dynamodb.Billing.on_demand(),
            encryption=dynamodb.TableEncryptionV2.customer_managed_key(self._key),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._stage.protected,
            removal_policy=removal(self._stage),
        )

    def _mask_key(self) -> secretsmanager.Secret:
        secret = secretsmanager.Secret(
            self._scope,
            "MaskKey",
            secret_name=names.mask_key_secret(self._stage.name),
            description="The key of masked fields. With another one the same person gets another mask.",
            encryption_key=self._key,
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


def _key(pipeline: AnyPipeline, field: str) -> KeyAttribute:
    return field, NUMBER if isinstance(pipeline.schema.column_type(field), Integer) else STRING


def _lifecycle(stage: StageConfig) -> list[s3.LifecycleRule]:
    """The life cycle of the lake's objects. S3 does not move objects below 128 KiB, because that costs more."""
    moved, gone = stage.lake.infrequent_after_days, stage.lake.expire_after_days
    move = s3.Transition(storage_class=s3.StorageClass.INFREQUENT_ACCESS, transition_after=Duration.days(moved))
    rules = [] if gone and gone <= moved else [s3.LifecycleRule(id="infrequent", transitions=[move])]
    return [*rules, *_expiry(gone)]


def _expiry(days: int | None) -> list[s3.LifecycleRule]:
    return [s3.LifecycleRule(id="expire", expiration=Duration.days(days))] if days else []
