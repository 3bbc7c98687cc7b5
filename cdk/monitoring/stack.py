"""Dashboards and alarms for both runtimes."""

from collections.abc import Iterable, Sequence

from aws_cdk import Annotations, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk.config import StageConfig
from cdk.kafka.stack import KafkaStack
from cdk.keys.stack import KeysStack
from cdk.monitoring.alarm import RUNBOOKS, Alarm, create
from cdk.monitoring.dashboard import PipelineDashboard
from cdk.monitoring.pipeline_alarms import of_pipeline
from cdk.monitoring.stage_alarms import of_stage
from functions.core.pipeline import AnyPipeline


class MonitoringStack(Stack):
    """Dashboards and alarms for both runtimes.

    Metrics are found by name (cdk/names.py, functions/core/names.py), so this stack refers to no resource of another.
    """

    alarms: sns.ITopic

    def __init__(
        self,
        scope: Construct,
        stage: StageConfig,
        *,
        keys: KeysStack,
        kafka: KafkaStack,
        pipelines: Sequence[AnyPipeline],
    ) -> None:
        super().__init__(scope, "Monitoring", stack_name=f"tandem-{stage.name}-monitoring")
        self._stage = stage
        self.alarms = self._topic(keys)
        self._create(f"tandem-{stage.name}", of_stage(stage, kafka.cluster_name))
        for pipeline in pipelines:
            prefix = f"tandem-{stage.name}-{pipeline.name}"
            alarms = self._create(prefix, of_pipeline(stage, pipeline, kafka.cluster_name))
            PipelineDashboard(stage, pipeline, kafka.cluster_name).build(self, alarms)

    def _create(self, prefix: str, alarms: Iterable[Alarm]) -> list[cloudwatch.Alarm]:
        github = self._stage.github
        runbooks = f"https://github.com/{github.repository}/blob/main/{RUNBOOKS}" if github else RUNBOOKS
        return [create(self, f"{prefix}-{alarm.name}", alarm, self.alarms, runbooks) for alarm in alarms]

    def _topic(self, keys: KeysStack) -> sns.ITopic:
        """The topic of all alarms, which somebody should read."""
        if self._stage.alarm_topic:
            return sns.Topic.from_topic_arn(self, "Alarms", self._stage.alarm_topic)
        topic = self._new_topic(keys)
        if self._stage.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(self._stage.alarm_email))
        else:
            Annotations.of(topic).add_warning_v2(
                "tandem:alarms-reach-nobody",
                f"stages.{self._stage.name}: alarms reach nobody, expected alarm_email or alarm_topic",
            )
        return topic

    def _new_topic(self, keys: KeysStack) -> sns.Topic:
        """CloudWatch has no role, so the policies of topic and key allow the service."""
        name = f"tandem-{self._stage.name}-alarms"
        topic = sns.Topic(self, "Alarms", topic_name=name, master_key=keys.data, enforce_ssl=True)
        topic.add_to_resource_policy(self._cloudwatch("Alarms", ["sns:Publish"], topic.topic_arn))
        keys.data.add_to_resource_policy(self._cloudwatch("Alarms", ["kms:Decrypt", "kms:GenerateDataKey*"], "*"))
        return topic

    def _cloudwatch(self, sid: str, allowed: list[str], resource: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid=sid,
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=allowed,
            resources=[resource],
            conditions={"StringEquals": {"aws:SourceAccount": self.account}},
        )
