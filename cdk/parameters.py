"""Where a stage leaves what the manifests, Terraform, the workflows and people need to know of it: SSM parameters."""

from collections.abc import Mapping

from aws_cdk import Stack
from aws_cdk import aws_ssm as ssm

from cdk.config import StageConfig
from functions.core import names


def tell(stack: Stack, stage: StageConfig, values: Mapping[str, str]) -> None:
    """Leave these values, by names such as `lake-bucket`. Nothing secret: who may deploy may read them all."""
    for name, value in values.items():
        ssm.StringParameter(stack, f"Told-{name}", parameter_name=names.parameter(stage.name, name), string_value=value)
