"""How Redshift learns of new objects in the lake: an S3 event integration, for which both ends must allow it.

Source: Amazon Redshift Database Developer Guide, "Create an S3 event integration to automatically copy files". Redshift
configures the bucket's notifications itself, so the lake has none of its own, neither here nor by hand.
"""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3


def let_redshift_listen(lake: s3.Bucket) -> None:
    """Let integrations of this account and region set up the lake's notifications."""
    stack = Stack.of(lake)
    lake.add_to_resource_policy(
        iam.PolicyStatement(
            sid="RedshiftListens",
            principals=[iam.ServicePrincipal("redshift.amazonaws.com")],
            actions=["s3:GetBucketNotification", "s3:PutBucketNotification", "s3:GetBucketLocation"],
            resources=[lake.bucket_arn],
            conditions={
                "StringEquals": {"aws:SourceAccount": stack.account},
                "ArnLike": {
                    "aws:SourceArn": f"arn:{stack.partition}:redshift:{stack.region}:{stack.account}:integration:*"
                },
            },
        )
    )


def inbound(lake: s3.IBucket) -> dict[str, object]:
    """The namespace's policy: the lake may be a source, and this account may make it one."""
    stack = Stack.of(lake)
    source = {"StringEquals": {"aws:SourceArn": lake.bucket_arn, "aws:SourceAccount": stack.account}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "redshift.amazonaws.com"},
                "Action": "redshift:AuthorizeInboundIntegration",
                "Condition": source,
            },
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:{stack.partition}:iam::{stack.account}:root"},
                "Action": "redshift:CreateInboundIntegration",
                "Condition": source,
            },
        ],
    }
