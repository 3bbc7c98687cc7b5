"""Automatic growth of the brokers' storage: MSK documentation, "Automatic scaling for Amazon MSK clusters"."""

from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_msk as msk

from cdk.choices import StandardKafka

TARGET_PERCENT: Final = 60  # usage of a broker's storage above which it grows
SERVICE: Final = "kafka.application-autoscaling.amazonaws.com"
ROLE: Final = f"aws-service-role/{SERVICE}/AWSServiceRoleForApplicationAutoScaling_KafkaCluster"


def grow_storage(cluster: msk.CfnCluster, broker_config: StandardKafka) -> None:
    """Let the storage grow up to `max_storage_gib`. MSK's volumes cannot shrink."""
    stack = Stack.of(cluster)
    target = autoscaling.CfnScalableTarget(
        stack,
        "Storage",
        service_namespace="kafka",
        scalable_dimension="kafka:broker-storage:VolumeSize",
        resource_id=cluster.attr_arn,
        min_capacity=broker_config.storage_gib,
        max_capacity=broker_config.max_storage_gib,
        role_arn=stack.format_arn(service="iam", region="", resource="role", resource_name=ROLE),
    )
    policy = autoscaling.CfnScalingPolicy
    policy(
        stack,
        "StorageGrowth",
        policy_name="storage",
        policy_type="TargetTrackingScaling",
        scaling_target_id=target.ref,
        target_tracking_scaling_policy_configuration=policy.TargetTrackingScalingPolicyConfigurationProperty(
            target_value=TARGET_PERCENT,
            disable_scale_in=True,
            predefined_metric_specification=policy.PredefinedMetricSpecificationProperty(
                predefined_metric_type="KafkaBrokerStorageUtilization"
            ),
        ),
    )
