"""Every dead letter is announced in one queue, by the bucket itself.

The notification is the bucket's own property. CDK's way would be a Lambda function that may configure every bucket.
"""

from aws_cdk import Acknowledgment, ArnFormat, Duration, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from cdk.config import StageConfig
from cdk.stacks.keys import Keys
from functions.core import names


def announce(stack: Stack, stage: StageConfig, letters: s3.Bucket, keys: Keys) -> sqs.Queue:
    """The queue in which S3 tells of each object of `letters`.

    Policies name the bucket by its ARN as text: the bucket waits for the queue's policy, so that cannot wait for it.
    """
    queue = _queue(stack, stage, keys)
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
    keys.data.add_to_resource_policy(
        iam.PolicyStatement(
            sid="S3WritesToTheEncryptedQueue", principals=[by_s3], actions=["kms:GenerateDataKey", "kms:Decrypt"],
            resources=["*"], conditions=ours,
        )
    )  # fmt: skip
    _notify(letters, queue)
    return queue


def _queue(stack: Stack, stage: StageConfig, keys: Keys) -> sqs.Queue:
    queue = sqs.Queue(
        stack,
        "Announced",
        queue_name=names.dead_letter_queue(stage.name),
        encryption=sqs.QueueEncryption.KMS,
        encryption_master_key=keys.data,
        data_key_reuse=Duration.hours(1),
        enforce_ssl=True,
        retention_period=Duration.days(14),
        visibility_timeout=Duration.minutes(5),
    )
    Validations.of(queue).acknowledge(
        Acknowledgment(
            id="AwsSolutions-SQS3",
            reason="It announces dead letters. Nothing is lost with a message: the letters stay in the bucket.",
        )
    )
    return queue


def _notify(letters: s3.Bucket, queue: sqs.Queue) -> None:
    made = letters.node.default_child
    if not isinstance(made, s3.CfnBucket):
        raise TypeError(made)
    made.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
        queue_configurations=[
            s3.CfnBucket.QueueConfigurationProperty(event="s3:ObjectCreated:*", queue=queue.queue_arn)
        ]
    )
    made.node.add_dependency(queue.node.find_child("Policy"))  # S3 tries the queue before it takes the configuration
