"""The role with which the workflows of one repository and environment deploy a stage."""

from collections.abc import Iterator, Sequence
from typing import Final

from aws_cdk import ArnFormat, CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk import names
from cdk.choices import ExistingEks, NoEks
from cdk.config import GithubConfig, StageConfig
from cdk.policies import acknowledge_wildcards, allow
from cdk.values import ISSUER
from functions.core.pipeline import AnyPipeline

AUDIENCE: Final = "sts.amazonaws.com"
BOOTSTRAPPED: Final = ("deploy-role", "file-publishing-role", "lookup-role")  # `cdk diff` reads with it
RELEASE: Final = (
    "lambda:GetAlias",
    "lambda:GetFunctionConfiguration",
    "lambda:ListVersionsByFunction",
    "lambda:UpdateAlias",
)
PUSH: Final = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeImages",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
)


class DeployRoleStack(Stack):
    """The role with which the workflows of one repository and environment deploy a stage."""

    role: iam.Role | None

    def __init__(self, scope: Construct, stage: StageConfig, *, pipelines: Sequence[AnyPipeline]) -> None:
        super().__init__(scope, "DeployRole", stack_name=f"tandem-{stage.name}-deploy-role")
        self._pipelines = pipelines
        self.role = self._role(stage, stage.github) if stage.github else None

    def _role(self, stage: StageConfig, github: GithubConfig) -> iam.Role:
        subject = f"repo:{github.repository}:environment:{github.environment}"
        role = iam.Role(
            self,
            "Deploy",
            role_name=names.deploy_role(stage.name),
            description=f"For the workflows of {github.repository} in the environment {github.environment}",
            assumed_by=iam.WebIdentityPrincipal(
                self._provider(github),
                {"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subject}},
            ),
            max_session_duration=Duration.hours(1),
        )
        for statement in self._statements(stage):
            role.add_to_policy(statement)
        acknowledge_wildcards(role, dict.fromkeys(self._versions(stage), "The versions and the alias of one function."))
        CfnOutput(self, "RoleArn", value=role.role_arn, description="The role-to-assume of the deploy workflow")
        return role

    def _provider(self, github: GithubConfig) -> str:
        """The ARN of the OIDC provider. An account can have only one of an issuer. IAM knows GitHub's certificates."""
        if github.provider_arn:
            return github.provider_arn
        return iam.CfnOIDCProvider(self, "Github", url=f"https://{ISSUER}", client_id_list=[AUDIENCE]).attr_arn

    def _statements(self, stage: StageConfig) -> Iterator[iam.PolicyStatement]:
        """The permissions that `cdk deploy`, `docker push` and `kubectl apply` need, and no others."""
        yield allow(["sts:AssumeRole"], [self._bootstrapped(stage, role) for role in BOOTSTRAPPED], sid="Cdk")
        parameters = self.format_arn(service="ssm", resource="parameter", resource_name=f"tandem/{stage.name}/*")
        yield allow(["ssm:GetParameter", "ssm:GetParameters"], [parameters], sid="Parameters")
        # To check a deployment, to move the aliases forward or back, and to delete old versions, but no function:
        # .github/scripts/functions.sh.
        yield allow(RELEASE, [*self._functions(stage), *self._versions(stage)], sid="Functions")
        yield allow(["lambda:DeleteFunction"], self._versions(stage), sid="Versions")
        yield allow(["lambda:ListEventSourceMappings"], ["*"], sid="Mappings")  # supports no resource
        if isinstance(stage.eks, NoEks):
            return
        repository = self.format_arn(service="ecr", resource="repository", resource_name=names.repository(stage.name))
        yield allow(["ecr:GetAuthorizationToken"], ["*"], sid="RegistryToken")  # supports no resource
        yield allow(PUSH, [repository], sid="Images")
        eks = stage.eks.name if isinstance(stage.eks, ExistingEks) else names.cluster(stage.name)
        cluster = self.format_arn(service="eks", resource="cluster", resource_name=eks)
        yield allow(["eks:DescribeCluster"], [cluster], sid="Kubernetes")

    def _functions(self, stage: StageConfig) -> list[str]:
        """The ARN of each function: a pattern of their names could match those of another stage, too."""
        return [
            self.format_arn(
                service="lambda",
                resource="function",
                resource_name=names.function(stage.name, pipeline.name),
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )
            for pipeline in self._pipelines
        ]

    def _versions(self, stage: StageConfig) -> list[str]:
        """For each function, the pattern of its versions and its alias, which the function itself does not match."""
        return [f"{function}:*" for function in self._functions(stage)]

    def _bootstrapped(self, stage: StageConfig, role: str) -> str:
        """The ARN of a role of `cdk bootstrap`."""
        name = f"cdk-{stage.bootstrap_qualifier}-{role}-{self.account}-{self.region}"
        return self.format_arn(
            service="iam", region="", resource="role", resource_name=name, arn_format=ArnFormat.SLASH_RESOURCE_NAME
        )
