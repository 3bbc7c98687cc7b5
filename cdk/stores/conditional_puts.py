"""The bucket's side of "put only if absent": no one can replace an object without saying which one.

A put needs `If-None-Match`, which runtimes send, or `If-Match`, which `tandem erase` sends. Parts of a multipart upload
take no condition, its completion does. Copies into the bucket are refused, too.

Source: Amazon S3 User Guide, "Enforce conditional writes on Amazon S3 buckets".
"""

from collections.abc import Sequence

from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3


def require_conditions(bucket: s3.Bucket, keys: Sequence[str]) -> None:
    """Deny puts without a condition, to everybody, of objects whose keys match one of these patterns."""
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="OnlyConditionalPuts",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["s3:PutObject"],
            resources=[bucket.arn_for_objects(pattern) for pattern in keys],
            conditions={
                "Null": {"s3:if-none-match": "true", "s3:if-match": "true"},
                "Bool": {"s3:ObjectCreationOperation": "true"},
            },
        )
    )
