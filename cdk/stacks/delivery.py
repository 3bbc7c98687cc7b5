"""Who may deploy: a role for the workflows of one repository and environment."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk.config import StageConfig


class Delivery(Stack):
    """Who may deploy: a role for the workflows of one repository and environment."""

    role: iam.Role | None

    def __init__(self, scope: Construct, stage: StageConfig) -> None:
        super().__init__(scope, "Delivery", stack_name=f"tandem-{stage.name}-delivery")
