"""The role with which Redshift reads the lake: objects of pipelines with a lake, and no others."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk import names
from cdk.config import StageConfig
from cdk.keys.stack import KeysStack
from cdk.policies import acknowledge_wildcards, allow
from cdk.stores.stores import Stores
from functions.core.pipeline import AnyPipeline


class LoadRole(iam.Role):
    """The role that copy jobs assume."""

    def __init__(
        self,
        scope: Construct,
        stage: StageConfig,
        keys: KeysStack,
        stores: Stores,
        pipelines: Sequence[AnyPipeline],
    ) -> None:
        super().__init__(
            scope,
            "Load",
            role_name=f"{names.workgroup(stage.name)}-{Stack.of(scope).region}-load",
            description="Redshift loads the lake",
            assumed_by=iam.CompositePrincipal(
                iam.ServicePrincipal("redshift.amazonaws.com"),
                iam.ServicePrincipal("redshift-serverless.amazonaws.com"),
            ),
        )
        lake, prefixes = stores.lake, [f"{pipeline.name}/*" for pipeline in pipelines]
        objects = [f"{self._bucket(stage)}/{prefix}" for prefix in prefixes]
        for statement in (
            allow(["s3:GetObject"], objects),
            allow(["s3:GetBucketLocation"], [lake.bucket_arn]),
            allow(["s3:ListBucket"], [lake.bucket_arn], {"StringLike": {"s3:prefix": prefixes}}),
            allow(["kms:Decrypt"], [keys.data.key_arn]),
        ):
            self.add_to_policy(statement)
        acknowledge_wildcards(self, dict.fromkeys(objects, "All objects of one pipeline, none of another."))

    def _bucket(self, stage: StageConfig) -> str:
        """The ARN as text, so that a check's finding has a stable ID. A reference would be an import with a hash."""
        stack = Stack.of(self)
        return f"arn:{stack.partition}:s3:::{names.lake_bucket(stage.name, stack.account, stack.region)}"
