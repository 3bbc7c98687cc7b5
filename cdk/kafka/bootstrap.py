"""The bootstrap servers of a cluster. CloudFormation does not return them, so the deployment asks MSK."""

from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import custom_resources as custom

RESPONSE_FIELDS: Final = {"iam": "BootstrapBrokerStringSaslIam", "scram": "BootstrapBrokerStringSaslScram"}


def bootstrap_servers(stack: Stack, cluster_arn: str, auth: str, log_group: logs.ILogGroup) -> str:
    """host:port,host:port for `auth`. They are read once: clients discover later brokers through them."""
    field = RESPONSE_FIELDS[auth]
    call = custom.AwsSdkCall(
        service="Kafka",
        action="GetBootstrapBrokers",
        parameters={"ClusterArn": cluster_arn},
        physical_resource_id=custom.PhysicalResourceId.of("bootstrap-servers"),
        output_paths=[field],
    )
    role = iam.Role(stack, "Asker", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log_group.grant_write(role)
    resource = custom.AwsCustomResource(
        stack,
        "BootstrapServers",
        resource_type="Custom::BootstrapServers",
        on_update=call,
        role=role,
        policy=custom.AwsCustomResourcePolicy.from_statements(
            [iam.PolicyStatement(actions=["kafka:GetBootstrapBrokers"], resources=[cluster_arn])]
        ),
        log_group=log_group,
        install_latest_aws_sdk=False,
    )
    return resource.get_response_field(field)
