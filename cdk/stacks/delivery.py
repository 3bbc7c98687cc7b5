"""Who may deploy: a role for the workflows of one repository and environment."""

from collections.abc import Iterator
from typing import Final

from aws_cdk import ArnFormat, CfnOutput, Duration, Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.choices import ExistingEks, NoEks
from cdk.config import Github, StageConfig
from cdk.policies import allow
from cdk.values import ISSUER
from functions.core import names

AUDIENCE: Final = "sts.amazonaws.com"
BOOTSTRAPPED: Final = ("deploy-role", "file-publishing-role", "lookup-role")  # as which `cdk diff` reads
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


class Delivery(Stack):
    """Who may deploy: a role for the workflows of one repository and environment."""

    role: iam.Role | None

    def __init__(self, scope: Construct, stage: StageConfig) -> None:
        super().__init__(scope, "Delivery", stack_name=f"tandem-{stage.name}-delivery")
        self.role = self._role(stage, stage.github) if stage.github else None

    def _role(self, stage: StageConfig, github: Github) -> iam.Role:
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
        CfnOutput(self, "RoleArn", value=role.role_arn, description="The role-to-assume of the deploy workflow")
        return role

    def _provider(self, github: Github) -> str:
        """An account has room for one provider of an issuer; IAM knows GitHub's certificates by itself."""
        if github.provider_arn:
            return github.provider_arn
        return iam.CfnOIDCProvider(self, "Github", url=f"https://{ISSUER}", client_id_list=[AUDIENCE]).attr_arn

    def _statements(self, stage: StageConfig) -> Iterator[iam.PolicyStatement]:
        """What `cdk deploy`, `docker push` and `kubectl apply` need, and nothing that they do not."""
        yield allow(["sts:AssumeRole"], [self._bootstrapped(role) for role in BOOTSTRAPPED], sid="Cdk")
        parameters = self.format_arn(service="ssm", resource="parameter", resource_name=f"tandem/{stage.name}/*")
        yield allow(["ssm:GetParameter", "ssm:GetParameters"], [parameters], sid="Parameters")
        # Looks at what it has deployed, and points the aliases on or back: .github/scripts/functions.sh.
        functions = self.format_arn(
            service="lambda",
            resource="function",
            resource_name=names.function(stage.name, "*"),
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        yield allow(RELEASE, [functions], sid="Functions")
        yield allow(["lambda:ListEventSourceMappings"], ["*"], sid="Mappings")  # it takes no resource
        if isinstance(stage.eks, NoEks):
            return
        repository = self.format_arn(service="ecr", resource="repository", resource_name=names.repository(stage.name))
        yield allow(["ecr:GetAuthorizationToken"], ["*"], sid="RegistryToken")  # it takes no resource
        yield allow(PUSH, [repository], sid="Images")
        eks = stage.eks.name if isinstance(stage.eks, ExistingEks) else names.cluster(stage.name)
        cluster = self.format_arn(service="eks", resource="cluster", resource_name=eks)
        yield allow(["eks:DescribeCluster"], [cluster], sid="Kubernetes")

    def _bootstrapped(self, role: str) -> str:
        """A role of `cdk bootstrap`, with its default qualifier."""
        name = f"cdk-hnb659fds-{role}-{self.account}-{self.region}"
        return self.format_arn(
            service="iam", region="", resource="role", resource_name=name, arn_format=ArnFormat.SLASH_RESOURCE_NAME
        )
