"""The Lambda path: one function and one event source mapping for each pipeline."""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Acknowledgment, Annotations, ArnFormat, Duration, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as awslambda
from aws_cdk import aws_logs as logs
from constructs import Construct

from cdk.config import StageConfig
from cdk.runtimes import bundle, environment, event_source
from cdk.runtimes.grants import Grants, role
from cdk.stacks.kafka import Kafka
from cdk.stacks.keys import Keys
from cdk.stacks.network import Network
from cdk.stacks.stores import Stores
from functions.core import names
from functions.core.pipeline import AnyPipeline

# Lambda documentation, "Log-level filtering": a line without a level, or without RFC 3339's time, counts as INFO. Such
# lines are metrics and what we log: above INFO Lambda would drop them all. The logger itself minds the stage's level.
LEAST: Final = awslambda.ApplicationLogLevel.INFO


class Bursty(Stack):
    """The Lambda path: one function and one event source mapping for each pipeline."""

    functions: Mapping[str, awslambda.Function]
    """By pipeline."""
    mappings: Mapping[str, awslambda.CfnEventSourceMapping]
    """By pipeline."""

    def __init__(
        self,
        scope: Construct,
        stage: StageConfig,
        *,
        keys: Keys,
        network: Network,
        kafka: Kafka,
        stores: Stores,
        pipelines: Sequence[AnyPipeline],
    ) -> None:
        super().__init__(scope, "Bursty", stack_name=f"tandem-{stage.name}-bursty")
        self._stage, self._keys, self._network, self._kafka, self._stores = stage, keys, network, kafka, stores
        self._code = bundle.code()
        self.functions = {pipeline.name: self._function(pipeline) for pipeline in pipelines}
        self.mappings = {pipeline.name: self._mapping(pipeline) for pipeline in pipelines}

    def _function(self, pipeline: AnyPipeline) -> awslambda.Function:
        """SnapStart keeps what importing the handler made: modules, and no client, secret or connection."""
        run, name = self._stage.run(pipeline.name), names.function(self._stage.name, pipeline.name)
        log = self._log(name, pipeline)
        function = awslambda.Function(
            self,
            f"Function-{pipeline.name}",
            function_name=name,
            description=f"Tandem: settles topic {pipeline.topic} in bursts",
            code=self._code,
            handler=bundle.HANDLER,
            runtime=awslambda.Runtime.PYTHON_3_13,
            architecture=awslambda.Architecture.ARM_64,
            memory_size=run.memory_mib,
            timeout=Duration.seconds(run.timeout_seconds),
            reserved_concurrent_executions=run.concurrency,
            snap_start=awslambda.SnapStartConf.ON_PUBLISHED_VERSIONS,
            # The CDK would add statements of its own, on `*`, for what the role has already.
            role=self._role(name, pipeline, log).without_policy_updates(),
            environment=environment.of_function(pipeline.name, self._stage, self._kafka, self._stores),
            environment_encryption=self._keys.data,
            log_group=logs.LogGroup.from_log_group_name(self, f"LogName-{pipeline.name}", log.ref),
            logging_format=awslambda.LoggingFormat.JSON,
            application_log_level_v2=awslambda.ApplicationLogLevel.DEBUG if run.log_level == "DEBUG" else LEAST,
            tracing=awslambda.Tracing.ACTIVE,
            vpc=self._network.vpc,
            vpc_subnets=self._network.private,
            security_groups=[self._network.clients],
        )
        reason = "the runtime changes with the wheels of the zip and with what the tests run, not by itself"
        Validations.of(function).acknowledge(Acknowledgment(id="AwsSolutions-L1", reason=reason))
        Annotations.of(function).acknowledge_warning(
            "@aws-cdk/aws-lambda:snapStartRequirePublish", "the alias publishes each version"
        )
        return function

    def _mapping(self, pipeline: AnyPipeline) -> awslambda.CfnEventSourceMapping:
        version = self.functions[pipeline.name].current_version
        live = awslambda.Alias(self, f"Live-{pipeline.name}", alias_name=names.LIVE, version=version)
        properties = event_source.properties(pipeline, self._stage, self._kafka, self._stores)
        return awslambda.CfnEventSourceMapping(
            self, f"Mapping-{pipeline.name}", function_name=live.function_arn, **properties
        )

    def _log(self, function: str, pipeline: AnyPipeline) -> logs.CfnLogGroup:
        return logs.CfnLogGroup(
            self,
            f"Log-{pipeline.name}",
            log_group_name=f"/aws/lambda/{function}",
            retention_in_days=self._stage.log_days,
            kms_key_id=self._keys.data.key_arn,
        )

    def _role(self, function: str, pipeline: AnyPipeline, log: logs.CfnLogGroup) -> iam.Role:
        """The function's ARN is put together, because the function takes the role and not the other way round."""
        arn = self.format_arn(
            service="lambda", resource="function", resource_name=function, arn_format=ArnFormat.COLON_RESOURCE_NAME
        )
        grants = Grants(self._stage, pipeline, self._keys.data, self._kafka, self._stores)
        name = names.role(self._stage.name, pipeline.name, "msk")
        lambda_ = iam.ServicePrincipal("lambda.amazonaws.com")
        return role(self, f"Role-{pipeline.name}", name, lambda_, grants.function(arn, log.attr_arn))
