"""One queue announces every dead letter, by notifications of the bucket.

The notification is a property of the bucket. CDK's add_event_notification would deploy a Lambda function that may
configure every bucket.
"""

from aws_cdk import Acknowledgment, ArnFormat, Duration, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from cdk import names
from cdk.config import StageConfig
from functions.core.names import dead_letter_queue


def announce(scope: Construct, stage: StageConfig, letters: s3.Bucket, key: kms.IKey) -> sqs.Queue:
    """A queue to which S3 sends a message for each new object of `letters`.

    Policies contain the bucket's ARN as text: the bucket depends on the queue's policy, which cannot depend on it.
    """
    stack, queue = Stack.of(scope), _queue(scope, stage, key)
    arn = stack.format_arn(
        service="s3", region="", account="", resource=names.dead_letter_bucket(stage.name, stack.account, stack.region),
        arn_format=ArnFormat.NO_RESOURCE_NAME,
    )  # fmt: skip
    by_s3 = iam.ServicePrincipal("s3.amazonaws.com")
    ours = {"StringEquals": {"aws:SourceAccount": stack.account}}
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[by_s3], actions=["sqs:SendMessage"], resources=[queue.queue_arn],
            conditions=ours | {"ArnEquals": {"aws:SourceArn": arn}},
        )
    )  # fmt: skip
    key.add_to_resource_policy(
        iam.PolicyStatement(
            sid="S3WritesToTheEncryptedQueue", principals=[by_s3], actions=["kms:GenerateDataKey", "kms:Decrypt"],
            resources=["*"], conditions=ours,
        )
    )  # fmt: skip
    _notify(letters, queue)
    return queue


def _queue(scope: Construct, stage: StageConfig, key: kms.IKey) -> sqs.Queue:
    queue = sqs.Queue(
        scope,
        "Announced",
        queue_name=dead_letter_queue(stage.name),
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        data_key_reuse=Duration.hours(1),
        enforce_ssl=True,
        retention_period=Duration.days(14),
        visibility_timeout=Duration.minutes(5),
    )
    Validations.of(queue).acknowledge(
        Acknowledgment(
            id="AwsSolutions-SQS3",
            reason="It announces dead letters. A lost message loses no data: the letters stay in the bucket.",
        )
    )
    return queue


def _notify(letters: s3.Bucket, queue: sqs.Queue) -> None:
    bucket = letters.node.default_child
    if not isinstance(bucket, s3.CfnBucket):
        raise TypeError(bucket)
    bucket.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        queue_configurations=[
            s3.CfnBucket.QueueConfigurationProperty(event="s3:ObjectCreated:*", queue=queue.queue_arn)
        ]
    )
    bucket.node.add_dependency(
        queue.node.find_child("Policy")
    )  # S3 sends a test message before it accepts the configuration
