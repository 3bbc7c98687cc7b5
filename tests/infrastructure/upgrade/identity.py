"""Which resources an account can have only once, and by which values.

The service's documentation of each name says so; a comment gives the reason where it is no name.
"""

from collections.abc import Mapping
from typing import Any, Final

from tests.infrastructure.upgrade.schemas import Path, get

Identity = tuple[object, ...]
RULE: Final = ("GroupId", "IpProtocol", "FromPort", "ToPort")
PROPERTIES: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": ("ServiceNamespace", "ResourceId", "ScalableDimension"),
    "AWS::Athena::WorkGroup": ("Name",),
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::DynamoDB::GlobalTable": ("TableName",),
    "AWS::EC2::Route": ("RouteTableId", "DestinationCidrBlock"),
    "AWS::EC2::SecurityGroupEgress": (*RULE, "DestinationSecurityGroupId"),  # EC2: InvalidPermission.Duplicate
    "AWS::EC2::SecurityGroupIngress": (*RULE, "SourceSecurityGroupId"),
    "AWS::EC2::Subnet": ("VpcId", "CidrBlock"),  # EC2: InvalidSubnet.Conflict
    "AWS::EC2::VPCEndpoint": ("VpcId", "ServiceName"),  # two endpoints would have the same private DNS name
    "AWS::ECR::Repository": ("RepositoryName",),
    "AWS::EKS::AccessEntry": ("ClusterName", "PrincipalArn"),
    "AWS::EKS::Cluster": ("Name",),
    "AWS::EKS::PodIdentityAssociation": ("ClusterName", "Namespace", "ServiceAccount"),
    "AWS::Glue::Database": ("DatabaseInput/Name",),
    "AWS::Glue::Table": ("DatabaseName", "TableInput/Name"),
    "AWS::IAM::OIDCProvider": ("Url",),
    "AWS::IAM::Role": ("RoleName",),
    "AWS::KMS::Alias": ("AliasName",),
    "AWS::Lambda::Alias": ("FunctionName", "Name"),
    "AWS::Lambda::EventSourceMapping": ("AmazonManagedKafkaEventSourceConfig/ConsumerGroupId",),  # one per group
    "AWS::Lambda::Function": ("FunctionName",),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::MSK::BatchScramSecret": ("ClusterArn",),
    "AWS::MSK::Cluster": ("ClusterName",),
    "AWS::MSK::Configuration": ("Name",),
    "AWS::MSK::ServerlessCluster": ("ClusterName",),
    "AWS::MSK::Topic": ("ClusterArn", "TopicName"),
    "AWS::Redshift::Integration": ("IntegrationName",),
    "AWS::RedshiftServerless::Namespace": ("NamespaceName",),
    "AWS::RedshiftServerless::Workgroup": ("WorkgroupName",),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::S3::BucketPolicy": ("Bucket",),
    "AWS::SNS::Topic": ("TopicName",),
    "AWS::SQS::Queue": ("QueueName",),
    "AWS::SSM::Parameter": ("Name",),
    "AWS::SecretsManager::Secret": ("Name",),
}
SAME_NAMES: Final = {"AWS::MSK::ServerlessCluster": "AWS::MSK::Cluster"}  # a cluster's name is unique among both kinds


def identity(type_: str, properties: Mapping[str, Any]) -> Identity | None:
    """Type and values, or None if the resource has no name of ours: AWS or CloudFormation then makes one."""
    paths: list[Path] = [tuple(name.split("/")) for name in PROPERTIES.get(type_, ())]
    values = tuple(get(properties, path) for path in paths)
    return (SAME_NAMES.get(type_, type_), *values) if values and None not in values else None
