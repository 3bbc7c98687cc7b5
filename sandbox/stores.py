"""The stores of a stage on an emulator. On AWS the same things come from the CDK app."""

from collections.abc import Callable, Collection
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from functions.core import names
from functions.core.column_types import Integer
from functions.core.pipeline import AnyPipeline

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.literals import ScalarAttributeTypeType
    from mypy_boto3_dynamodb.type_defs import KeySchemaElementTypeDef
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

Client = Callable[[str], Any]  # such as `boto3.Session().client`
Key = tuple[str, "ScalarAttributeTypeType"]


def create(
    client: Client, stage: str, pipelines: Collection[AnyPipeline], lake_bucket: str, dead_letter_bucket: str
) -> str:
    """Create the stage's tables, both buckets and the queue of dead letters' announcements; return the queue's URL.

    What exists stays as it is.
    """
    dynamodb: DynamoDBClient = client("dynamodb")
    _table(dynamodb, names.ledger_table(stage), ("pipeline", "S"), ("partition", "S"))
    _table(dynamodb, names.counters_table(stage), ("counter", "S"), ("bucket", "S"))
    for pipeline in pipelines:
        for sink in pipeline.tables:
            types = (pipeline.schema.column_type(name) for name in sink.key_fields)
            kinds: list[ScalarAttributeTypeType] = ["N" if isinstance(type_, Integer) else "S" for type_ in types]
            _table(dynamodb, names.rows_table(stage, sink.name), *zip(sink.key_fields, kinds, strict=True))
    if any(pipeline.dedup for pipeline in pipelines):
        _table(dynamodb, names.seen_table(stage), ("event", "S"))
    s3: S3Client = client("s3")
    _bucket(s3, lake_bucket)
    _bucket(s3, dead_letter_bucket)
    return _announce(s3, dead_letter_bucket, client("sqs"), names.dead_letter_queue(stage))


def _table(dynamodb: "DynamoDBClient", name: str, *keys: Key) -> None:
    schema: list[KeySchemaElementTypeDef] = [
        {"AttributeName": key, "KeyType": "RANGE" if number else "HASH"} for number, (key, _) in enumerate(keys)
    ]
    with suppress(dynamodb.exceptions.ResourceInUseException):
        dynamodb.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys],
            KeySchema=schema,
            BillingMode="PAY_PER_REQUEST",
        )


def _bucket(s3: "S3Client", name: str) -> None:
    region = s3.meta.region_name
    if region == "us-east-1":  # for which S3 accepts no constraint
        s3.create_bucket(Bucket=name)
    else:
        with suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})  # type: ignore[typeddict-item]


def _announce(s3: "S3Client", bucket: str, sqs: "SQSClient", queue: str) -> str:
    url = sqs.create_queue(QueueName=queue)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    return url
