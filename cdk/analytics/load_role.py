"""The role by which Redshift reads the lake: objects of pipelines with a lake, and nothing else."""

from collections.abc import Sequence

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.config import StageConfig
from cdk.stacks.keys import Keys
from cdk.stacks.stores import Stores
from cdk.wildcards import acknowledge_wildcards
from functions.core import names
from functions.core.pipeline import AnyPipeline


class LoadRole(iam.Role):
    """What copy jobs assume."""

    def __init__(
        self, scope: Construct, stage: StageConfig, keys: Keys, stores: Stores, pipelines: Sequence[AnyPipeline]
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
        self._allow(["s3:GetObject"], objects)
        self._allow(["s3:GetBucketLocation"], [lake.bucket_arn])
        self._allow(["s3:ListBucket"], [lake.bucket_arn], {"s3:prefix": prefixes})
        self._allow(["kms:Decrypt"], [keys.data.key_arn])
        acknowledge_wildcards(self, dict.fromkeys(objects, "All objects of one pipeline, none of another."))

    def _bucket(self, stage: StageConfig) -> str:
        """Its ARN as text, which a check can name; by reference it would be an import with a hash."""
        stack = Stack.of(self)
        return f"arn:{stack.partition}:s3:::{names.lake_bucket(stage.name, stack.account, stack.region)}"

    def _allow(self, actions: list[str], resources: list[str], like: dict[str, list[str]] | None = None) -> None:
        self.add_to_policy(
            iam.PolicyStatement(
                actions=actions, resources=resources, conditions={"StringLike": like} if like else None
            )
        )  # fmt: skip
