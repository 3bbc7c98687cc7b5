"""The function of a pipeline, with its role, its log, its alias and its event source mapping."""

from dataclasses import dataclass
from typing import Final

from aws_cdk import Acknowledgment, Annotations, ArnFormat, Duration, RemovalPolicy, Stack, Validations
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as awslambda
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk import names
from cdk.config import StageConfig
from cdk.kafka.cluster import KafkaCluster
from cdk.runtimes import environment
from cdk.runtimes.grants import Grants, role
from cdk.runtimes.msk import bundle, event_source
from cdk.stores.stores import Stores
from functions.core.pipeline import AnyPipeline

# Lambda documentation, "Log-level filtering": a line without a level or an RFC 3339 time counts as INFO. Our metrics
# and logs are such lines, and a level above INFO would drop them all. The logger itself applies the stage's level.
MAX_LAMBDA_LOG_LEVEL: Final = awslambda.ApplicationLogLevel.INFO


@dataclass(frozen=True, slots=True)
class Placement:
    """Where functions run."""

    vpc: ec2.IVpc
    subnets: ec2.SubnetSelection
    group: ec2.ISecurityGroup


class PipelineFunction:
    """The function of one pipeline, and its mapping unless the stage wants none."""

    function: awslambda.Function
    mapping: awslambda.CfnEventSourceMapping | None

    def __init__(  # noqa: PLR0913 - what a function stands on
        self,
        scope: Construct,
        stage: StageConfig,
        pipeline: AnyPipeline,
        *,
        key: kms.IKey,
        placement: Placement,
        kafka: KafkaCluster,
        stores: Stores,
        code: awslambda.AssetCode,
    ) -> None:
        self._scope, self._stage, self._key, self._placement = scope, stage, key, placement
        self._kafka, self._stores, self._code = kafka, stores, code
        self.function = self._function(pipeline)
        live = self._live(pipeline)
        has_mapping = stage.pipeline_config(pipeline.name).event_source
        self.mapping = self._mapping(pipeline, live) if has_mapping else None

    def _function(self, pipeline: AnyPipeline) -> awslambda.Function:
        """SnapStart stores what importing the handler creates: modules, but no client, secret or connection."""
        config, name = self._stage.pipeline_config(pipeline.name), names.function(self._stage.name, pipeline.name)
        log = self._log(name, pipeline)
        function = awslambda.Function(
            self._scope,
            f"Function-{pipeline.name}",
            function_name=name,
            description=f"Tandem: settles topic {pipeline.topic} in bursts",
            code=self._code,
            handler=bundle.HANDLER,
            runtime=awslambda.Runtime.PYTHON_3_13,
            architecture=awslambda.Architecture.ARM_64,
            memory_size=config.memory_mib,
            timeout=Duration.seconds(config.timeout_seconds),
            reserved_concurrent_executions=config.concurrency,
            snap_start=awslambda.SnapStartConf.ON_PUBLISHED_VERSIONS,
            # CloudFormation would delete a version as soon as the next one is live, and a release could not be rolled
            # back to it. functions.sh deletes all but the last three.
            current_version_options=awslambda.VersionOptions(removal_policy=RemovalPolicy.RETAIN),
            # Otherwise CDK adds statements with `*` for permissions that the role has already.
            role=self._role(name, pipeline, log.attr_arn).without_policy_updates(),
            environment=environment.function_variables(pipeline, self._stage, self._kafka, self._stores),
            environment_encryption=self._key,
            log_group=logs.LogGroup.from_log_group_name(self._scope, f"LogName-{pipeline.name}", log.ref),
            logging_format=awslambda.LoggingFormat.JSON,
            application_log_level_v2=awslambda.ApplicationLogLevel.DEBUG
            if config.log_level == "DEBUG"
            else MAX_LAMBDA_LOG_LEVEL,
            tracing=awslambda.Tracing.ACTIVE,
            vpc=self._placement.vpc,
            vpc_subnets=self._placement.subnets,
            security_groups=[self._placement.group],
        )
        reason = "the runtime is upgraded together with the zip's wheels and the tests' Python"
        Validations.of(function).acknowledge(Acknowledgment(id="AwsSolutions-L1", reason=reason))
        Annotations.of(function).acknowledge_warning(
            "@aws-cdk/aws-lambda:snapStartRequirePublish", "the alias publishes each version"
        )
        return function

    def _live(self, pipeline: AnyPipeline) -> awslambda.Alias:
        version = self.function.current_version
        return awslambda.Alias(self._scope, f"Live-{pipeline.name}", alias_name=names.LIVE, version=version)

    def _mapping(self, pipeline: AnyPipeline, live: awslambda.Alias) -> awslambda.CfnEventSourceMapping:
        properties = event_source.properties(pipeline, self._stage, self._kafka, self._stores)
        return awslambda.CfnEventSourceMapping(
            self._scope, event_source.logical_id(pipeline), function_name=live.function_arn, **properties
        )

    def _log(self, function: str, pipeline: AnyPipeline) -> logs.CfnLogGroup:
        return logs.CfnLogGroup(
            self._scope,
            f"Log-{pipeline.name}",
            log_group_name=f"/aws/lambda/{function}",
            retention_in_days=self._stage.log_days,
            kms_key_id=self._key.key_arn,
        )

    def _role(self, function: str, pipeline: AnyPipeline, log_arn: str) -> iam.Role:
        """The role contains the function's ARN as text, because the function depends on the role."""
        arn = Stack.of(self._scope).format_arn(
            service="lambda", resource="function", resource_name=function, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        grants = Grants(self._stage, pipeline, self._key, self._kafka, self._stores)
        name = names.role(self._stage.name, pipeline.name, "msk")
        lambda_ = iam.ServicePrincipal("lambda.amazonaws.com")
        return role(self._scope, f"Role-{pipeline.name}", name, lambda_, grants.function(arn, log_arn))
