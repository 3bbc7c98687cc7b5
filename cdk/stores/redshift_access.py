"""The lake's side of Redshift's automatic loads: an S3 event integration, which the bucket's policy must allow.

Source: Amazon Redshift Database Developer Guide, "Create an S3 event integration to automatically copy files". Redshift
configures the bucket's notifications, so the lake must have no others, neither here nor set by hand.
"""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3


def let_redshift_subscribe(lake: s3.Bucket) -> None:
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
