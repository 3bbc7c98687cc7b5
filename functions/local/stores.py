"""The stores of a stage on an emulator. On AWS the same things come from the CDK app."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from functions.core import names
from functions.core.kinds import Integer
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
    client: Client, stage: str, pipelines: Iterable[AnyPipeline], lake_bucket: str, dead_letter_bucket: str
) -> str:
    """Make the stage's tables, both buckets and the queue that every dead letter is announced in: its URL."""
    dynamodb: DynamoDBClient = client("dynamodb")
    _table(dynamodb, names.ledger_table(stage), ("pipeline", "S"), ("partition", "S"))
    _table(dynamodb, names.counters_table(stage), ("counter", "S"), ("bucket", "S"))
    for pipeline in pipelines:
        for sink in pipeline.tables:
            number = isinstance(pipeline.schema.kind(sink.key), Integer)
            _table(dynamodb, names.rows_table(stage, sink.name), (sink.key, "N" if number else "S"))
    s3: S3Client = client("s3")
    _bucket(s3, lake_bucket)
    _bucket(s3, dead_letter_bucket)
    return _announce(s3, dead_letter_bucket, client("sqs"), names.dead_letter_queue(stage))


def _table(dynamodb: "DynamoDBClient", name: str, partition: Key, *sort: Key) -> None:
    schema: list[KeySchemaElementTypeDef] = [{"AttributeName": partition[0], "KeyType": "HASH"}]
    schema += [{"AttributeName": key, "KeyType": "RANGE"} for key, _ in sort]
    dynamodb.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in (partition, *sort)],
        KeySchema=schema,
        BillingMode="PAY_PER_REQUEST",
    )


def _bucket(s3: "S3Client", name: str) -> None:
    region = s3.meta.region_name
    if region == "us-east-1":  # which S3 takes no constraint for
        s3.create_bucket(Bucket=name)
    else:
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})  # type: ignore[typeddict-item]


def _announce(s3: "S3Client", bucket: str, sqs: "SQSClient", queue: str) -> str:
    url = sqs.create_queue(QueueName=queue)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    return url
