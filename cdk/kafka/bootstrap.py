"""Where clients find the brokers. CloudFormation does not tell of its clusters, so MSK is asked while deploying."""

from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import custom_resources as custom

ANSWERS: Final = {"iam": "BootstrapBrokerStringSaslIam", "scram": "BootstrapBrokerStringSaslScram"}


def bootstrap_servers(stack: Stack, cluster_arn: str, auth: str, log_group: logs.ILogGroup) -> str:
    """host:port,host:port for that kind of authentication. Asked once: these tell of brokers that come later."""
    answer = ANSWERS[auth]
    call = custom.AwsSdkCall(
        service="Kafka",
        action="GetBootstrapBrokers",
        parameters={"ClusterArn": cluster_arn},
        physical_resource_id=custom.PhysicalResourceId.of("bootstrap-servers"),
        output_paths=[answer],
    )
    role = iam.Role(stack, "Asker", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    log_group.grant_write(role)
    asked = custom.AwsCustomResource(
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
    return asked.get_response_field(answer)
