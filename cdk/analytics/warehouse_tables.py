"""The usage limit, schema, tables and copy jobs of Redshift, created on deployment by one small function.

CloudFormation has no resource for any of them. CDK's AwsCustomResource is not enough: it reports success when the Data
API accepts a statement, which is before the statement has run.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from aws_cdk import Acknowledgment, CustomResource, Duration, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as awslambda
from aws_cdk import aws_redshiftserverless as serverless
from constructs import Construct

from cdk import names
from cdk.analytics.statements import Statement
from cdk.config import StageConfig
from cdk.logs import log_group
from cdk.policies import acknowledge_wildcards, allow

CODE: Final = Path(__file__).parent / "inline" / "warehouse.py"
TIMEOUT: Final = Duration.minutes(15)  # the first statement of an idle workgroup is slow


class ServerlessRedshift(NamedTuple):
    """A namespace and its workgroup."""

    namespace: serverless.CfnNamespace
    workgroup: serverless.CfnWorkgroup


class WarehouseTables(Construct):
    """A custom resource that runs again if a statement or the limit changes."""

    def __init__(
        self,
        scope: Construct,
        stage: StageConfig,
        target: ServerlessRedshift,
        statements: Sequence[Statement],
        *,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, "Tables")
        self._key, self._namespace, self._workgroup = key, target.namespace, target.workgroup
        CustomResource(
            self,
            "Tables",
            resource_type="Custom::RedshiftTables",
            service_token=self._function(stage).function_arn,
            service_timeout=TIMEOUT,
            properties={
                "NamespaceName": target.namespace.namespace_name,
                "WorkgroupName": target.workgroup.workgroup_name,
                "WorkgroupArn": target.workgroup.attr_workgroup_workgroup_arn,
                "Database": target.namespace.db_name,
                "RpuHoursADay": stage.redshift.max_rpu_hours_per_day if stage.redshift else 0,
                "Statements": [{"Sql": statement.sql, "Unless": statement.unless} for statement in statements],
            },
        )

    def _function(self, stage: StageConfig) -> awslambda.Function:
        name = names.warehouse_function(stage.name)
        log = log_group(self, "Log", stage, self._key, group=f"/aws/lambda/{name}")
        function = awslambda.Function(
            self,
            "Function",
            function_name=name,
            description="Makes the usage limit, tables and copy jobs of Redshift on deployment",
            runtime=awslambda.Runtime.PYTHON_3_13,
            architecture=awslambda.Architecture.ARM_64,
            handler="index.handler",
            code=awslambda.Code.from_inline(CODE.read_text(encoding="utf-8")),
            role=self._role(log.log_group_arn),
            timeout=TIMEOUT,
            memory_size=256,
            log_group=log,
        )
        Validations.of(function).acknowledge(
            Acknowledgment(
                id="AwsSolutions-L1",
                reason="All functions have the same version of Python and are upgraded together.",
            )
        )
        return function

    def _role(self, log_arn: str) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description="Makes the tables of Redshift on deployment",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        for statement in (*self._logging(log_arn), *self._running(), *self._limiting()):
            role.add_to_policy(statement)
        acknowledge_wildcards(
            role,
            {
                "*": "DescribeStatement supports no resource, so a condition limits it to the role's own statements; "
                "usage limits support none either.",
                self._secret(): "Redshift chooses the last six characters of the secret's name.",
            },
        )
        return role

    def _logging(self, log_arn: str) -> Iterator[iam.PolicyStatement]:
        yield allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log_arn])

    def _running(self) -> Iterator[iam.PolicyStatement]:
        mine = {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}}
        yield allow(["redshift-data:ExecuteStatement"], [self._workgroup.attr_workgroup_workgroup_arn])
        yield allow(["redshift-data:DescribeStatement"], ["*"], mine)
        yield allow(["redshift-serverless:GetNamespace"], [self._namespace.attr_namespace_namespace_arn])
        yield allow(["secretsmanager:GetSecretValue"], [self._secret()])
        yield allow(["kms:Decrypt"], [self._key.key_arn])

    def _secret(self) -> str:
        """The ARN pattern of the administrator's secret, which Redshift names; CloudFormation does not return it."""
        stack, namespace = Stack.of(self), self._namespace
        prefix = f"arn:{stack.partition}:secretsmanager:{stack.region}:{stack.account}"
        return f"{prefix}:secret:redshift!{namespace.namespace_name}-{namespace.admin_username}-*"

    def _limiting(self) -> Iterator[iam.PolicyStatement]:
        verbs = ("ListUsageLimits", "CreateUsageLimit", "UpdateUsageLimit")
        yield allow([f"redshift-serverless:{verb}" for verb in verbs], ["*"])
