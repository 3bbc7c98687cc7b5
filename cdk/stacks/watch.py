"""Dashboards and alarms for both runtimes."""

from collections.abc import Iterable, Sequence
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk.config import StageConfig
from cdk.stacks.kafka import Kafka
from cdk.stacks.keys import Keys
from cdk.watch.alarm import Alarm
from cdk.watch.dashboard import PipelineDashboard
from cdk.watch.pipeline_alarms import of_pipeline
from cdk.watch.stage_alarms import of_stage
from functions.core.pipeline import AnyPipeline

RUNBOOKS: Final = "docs/runbooks"


class Watch(Stack):
    """Dashboards and alarms for both runtimes.

    Everything watched is named by functions/core/names.py, so that this stack holds on to no other's resources.
    """

    alarms: sns.Topic

    def __init__(
        self,
        scope: Construct,
        stage: StageConfig,
        *,
        keys: Keys,
        kafka: Kafka,
        pipelines: Sequence[AnyPipeline],
    ) -> None:
        super().__init__(scope, "Watch", stack_name=f"tandem-{stage.name}-watch")
        self._stage = stage
        self.alarms = self._topic(keys)
        self._raise(f"tandem-{stage.name}", of_stage(stage, kafka.cluster_name))
        for pipeline in pipelines:
            named = f"tandem-{stage.name}-{pipeline.name}"
            alarms = self._raise(named, of_pipeline(stage, pipeline, kafka.cluster_name))
            PipelineDashboard(stage, pipeline, kafka.cluster_name).build(self, alarms)

    def _raise(self, named: str, alarms: Iterable[Alarm]) -> list[cloudwatch.Alarm]:
        return [self._alarm(f"{named}-{alarm.name}", alarm) for alarm in alarms]

    def _alarm(self, name: str, alarm: Alarm) -> cloudwatch.Alarm:
        made = cloudwatch.Alarm(
            self,
            name,
            alarm_name=name,
            alarm_description=f"{alarm.says} {self._runbook(alarm)}",
            metric=alarm.metric,
            threshold=alarm.above,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            datapoints_to_alarm=alarm.least,
            evaluation_periods=alarm.of,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        action = actions.SnsAction(self.alarms)
        made.add_alarm_action(action)
        made.add_ok_action(action)
        return made

    def _runbook(self, alarm: Alarm) -> str:
        path = f"{RUNBOOKS}/{alarm.runbook}"
        return f"https://github.com/{self._stage.github.repository}/blob/main/{path}" if self._stage.github else path

    def _topic(self, keys: Keys) -> sns.Topic:
        """Where alarms are told. CloudWatch has no role here: the topic's policy and the key's name it."""
        name = f"tandem-{self._stage.name}-alarms"
        topic = sns.Topic(self, "Alarms", topic_name=name, master_key=keys.data, enforce_ssl=True)
        topic.add_to_resource_policy(self._cloudwatch("Alarms", ["sns:Publish"], topic.topic_arn))
        keys.data.add_to_resource_policy(self._cloudwatch("Alarms", ["kms:Decrypt", "kms:GenerateDataKey*"], "*"))
        if self._stage.alarm_email:
            topic.add_subscription(subscriptions.EmailSubscription(self._stage.alarm_email))
        return topic

    def _cloudwatch(self, sid: str, allowed: list[str], on: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid=sid,
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=allowed,
            resources=[on],
            conditions={"StringEquals": {"aws:SourceAccount": self.account}},
        )
