"""What settling writes to: lake, dead letters, ledger, counters, tables; and the key of masked fields."""

from collections.abc import Mapping, Sequence

from aws_cdk import Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk.config import StageConfig
from cdk.stacks.keys import Keys
from functions.core import names
from functions.core.pipeline import AnyPipeline


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
        string = dynamodb.AttributeType.STRING
        account, region = self.account, self.region
        encrypted = {"encryption": s3.BucketEncryption.KMS, "encryption_key": keys.data, "enforce_ssl": True}
        self.lake = s3.Bucket(self, "Lake", bucket_name=names.lake_bucket(stage.name, account, region), **encrypted)
        self.dead_letters = s3.Bucket(
            self, "DeadLetters", bucket_name=names.dead_letter_bucket(stage.name, account, region), **encrypted
        )
        self.dead_letter_queue = sqs.Queue(self, "Announced", queue_name=names.dead_letter_queue(stage.name))
        self.ledger = self._table("Ledger", names.ledger_table(stage.name), ("pipeline", string), ("partition", string))
        self.counters = self._table(
            "Counters", names.counters_table(stage.name), ("counter", string), ("bucket", string)
        )
        self.tables = {
            sink.name: self._table(f"Table-{sink.name}", names.rows_table(stage.name, sink.name), (sink.key, string))
            for pipeline in pipelines
            for sink in pipeline.tables
        }
        self.mask_key = secretsmanager.Secret(
            self, "MaskKey", secret_name=names.mask_key_secret(stage.name), encryption_key=keys.data
        )

    def _table(self, name: str, table: str, *key: tuple[str, dynamodb.AttributeType]) -> dynamodb.TableV2:
        attributes = [dynamodb.Attribute(name=part, type=kind) for part, kind in key]
        return dynamodb.TableV2(
            self,
            name,
            table_name=table,
            partition_key=attributes[0],
            sort_key=attributes[1] if attributes[1:] else None,
        )
