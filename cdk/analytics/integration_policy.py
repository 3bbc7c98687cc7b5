"""The namespace's side of Redshift's automatic loads: which sources may send it events, and who may connect them.

Source: Amazon Redshift Database Developer Guide, "Create an S3 event integration to automatically copy files". The
lake's side is cdk/stores/redshift_access.py.
"""

from aws_cdk import Stack
from aws_cdk import aws_s3 as s3


def integration_policy(lake: s3.IBucket) -> dict[str, object]:
    """The namespace's resource policy: the lake may be a source, and this account may make it one."""
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
