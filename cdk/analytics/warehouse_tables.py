"""The usage limit, schema, tables and copy jobs of Redshift, made on deployment by one small function.

CloudFormation has resources for none of them. CDK's AwsCustomResource would not do: it takes the Data API's first
answer, which comes before a statement has run, for success.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from aws_cdk import Acknowledgment, CustomResource, Duration, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as awslambda
from aws_cdk import aws_logs as logs
from aws_cdk import aws_redshiftserverless as serverless
from constructs import Construct

from cdk.analytics.statements import Statement
from cdk.config import StageConfig
from cdk.logs import log_group
from cdk.policies import acknowledge_wildcards, allow

CODE: Final = Path(__file__).parent / "inline" / "warehouse.py"
PATIENCE: Final = Duration.minutes(15)  # a workgroup that has rested takes a while for its first statement


class Serverless(NamedTuple):
    """A namespace and the workgroup that works on it."""

    namespace: serverless.CfnNamespace
    workgroup: serverless.CfnWorkgroup


class WarehouseTables(Construct):
    """Runs again whenever a statement or the limit has changed."""

    def __init__(
        self,
        scope: Construct,
        stage: StageConfig,
        of: Serverless,
        statements: Sequence[Statement],
        *,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, "Tables")
        self._key, self._namespace, self._workgroup = key, of.namespace, of.workgroup
        CustomResource(
            self,
            "Made",
            resource_type="Custom::RedshiftTables",
            service_token=self._function(stage).function_arn,
            service_timeout=PATIENCE,
            properties={
                "NamespaceName": of.namespace.namespace_name,
                "WorkgroupName": of.workgroup.workgroup_name,
                "WorkgroupArn": of.workgroup.attr_workgroup_workgroup_arn,
                "Database": of.namespace.db_name,
                "RpuHoursADay": stage.redshift.most_rpu_hours_a_day if stage.redshift else 0,
                "Statements": [{"Sql": each.sql, "Unless": each.unless} for each in statements],
            },
        )

    def _function(self, stage: StageConfig) -> awslambda.Function:
        name = f"{self._workgroup.workgroup_name}-warehouse-tables"
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
            role=self._role(log),
            timeout=PATIENCE,
            memory_size=256,
            log_group=log,
        )
        Validations.of(function).acknowledge(
            Acknowledgment(
                id="AwsSolutions-L1",
                reason="It has the Python of the other functions; all move to the next one together.",
            )
        )
        return function

    def _role(self, log: logs.ILogGroup) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description="Makes the tables of Redshift on deployment",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        for statement in (*self._logging(log), *self._running(), *self._limiting()):
            role.add_to_policy(statement)
        acknowledge_wildcards(
            role,
            {
                "*": "DescribeStatement takes no resource, so a condition keeps it to the role's own statements; usage "
                "limits take none either.",
                self._secret(): "Redshift chooses the last six characters of the secret's name.",
            },
        )
        return role

    def _logging(self, log: logs.ILogGroup) -> Iterator[iam.PolicyStatement]:
        yield allow(["logs:CreateLogStream", "logs:PutLogEvents"], [log.log_group_arn])

    def _running(self) -> Iterator[iam.PolicyStatement]:
        mine = {"StringEquals": {"redshift-data:statement-owner-iam-userid": "${aws:userid}"}}
        yield allow(["redshift-data:ExecuteStatement"], [self._workgroup.attr_workgroup_workgroup_arn])
        yield allow(["redshift-data:DescribeStatement"], ["*"], mine)
        yield allow(["redshift-serverless:GetNamespace"], [self._namespace.attr_namespace_namespace_arn])
        yield allow(["secretsmanager:GetSecretValue"], [self._secret()])
        yield allow(["kms:Decrypt"], [self._key.key_arn])

    def _secret(self) -> str:
        """The administrator's, as Redshift names it; CloudFormation does not tell its ARN."""
        stack, of = Stack.of(self), self._namespace
        place = f"arn:{stack.partition}:secretsmanager:{stack.region}:{stack.account}"
        return f"{place}:secret:redshift!{of.namespace_name}-{of.admin_username}-*"

    def _limiting(self) -> Iterator[iam.PolicyStatement]:
        verbs = ("ListUsageLimits", "CreateUsageLimit", "UpdateUsageLimit")
        yield allow([f"redshift-serverless:{verb}" for verb in verbs], ["*"])
