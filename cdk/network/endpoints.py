"""The interface endpoints through which a stage without NAT reaches AWS services. Each costs money in each zone.

A stage with NAT has none. Its traffic through NAT is small, because S3 and DynamoDB have gateway endpoints in every
stage and image layers come from S3. These services need no endpoint: KMS (S3, DynamoDB and Secrets Manager call it),
CloudWatch Logs and X-Ray (Lambda delivers both from outside the VPC), MSK (tokens are signed without a call).
"""

from collections.abc import Mapping, Sequence
from typing import Final

from cdk import external
from cdk.choices import NewNetwork, NoEks
from cdk.config import StageConfig
from functions.core.pipeline import AnyPipeline

EVERYWHERE: Final = {
    "secretsmanager": "both runtimes read the key of masked fields and the SCRAM users",
}
ON_DEMAND: Final = {  # Lambda documentation, "Configuring your Amazon MSK cluster and Amazon VPC network for Lambda"
    "lambda": "on-demand pollers invoke the function from inside the VPC; provisioned ones from outside",
    "sts": "on-demand pollers assume the function's role",
}
NODES: Final = {  # EKS documentation, "Deploy private clusters with limited internet access"
    "ec2": "nodes describe themselves and their network interfaces",
    "ecr.api": "nodes are authorised to pull the worker's image",
    "ecr.dkr": "nodes pull its manifest; the layers come from S3",
    "eks": "nodes read the cluster that they join",
    "monitoring": "workers send their metrics",
    "eks-auth": "the Pod Identity agent fetches the workers' credentials",
    "sts": "nodes authenticate to the cluster",
}


def needed(stage: StageConfig, pipelines: Sequence[AnyPipeline]) -> Mapping[str, str]:
    """The services that need an endpoint, such as `ecr.api`, each with its reason."""
    if not isinstance(stage.network, NewNetwork) or stage.network.nat != "none":
        return {}
    on_demand = any(stage.pipeline_config(pipeline.name).pollers is None for pipeline in pipelines)
    return {
        **external.services(pipelines),
        **EVERYWHERE,
        **(ON_DEMAND if on_demand else {}),
        **({} if isinstance(stage.eks, NoEks) else NODES),
    }
