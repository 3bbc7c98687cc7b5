"""SSM parameters, in which a stage publishes values for manifests, Terraform, workflows and operators."""

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_ssm as ssm

from cdk import names
from cdk.config import StageConfig


def publish_parameters(stack: Stack, stage: StageConfig, parameters: Mapping[str, str]) -> None:
    """Publish values by names such as `lake-bucket`. Never a secret: everybody who may deploy can read them."""
    for name, value in parameters.items():
        full_name = names.parameter(stage.name, name)
        ssm.StringParameter(stack, f"Parameter-{name}", parameter_name=full_name, string_value=value)
