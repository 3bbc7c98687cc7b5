"""Which AWS services a stage without NAT reaches by interface endpoints, and why. Each costs money in each zone.

With NAT there are none: what goes through it is small, since S3 and DynamoDB have gateway endpoints in every stage and
image layers come from S3. These need none: KMS (S3, DynamoDB and Secrets Manager call it themselves), CloudWatch Logs
and X-Ray (Lambda delivers both from outside the VPC), MSK (tokens are signed without a call).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from cdk.choices import NewNetwork, NoEks
from cdk.config import StageConfig

EVERYWHERE: Final = {
    "secretsmanager": "both runtimes read the key of masked fields and the SCRAM user",
}
ON_DEMAND: Final = {  # Lambda documentation, "Configuring your Amazon MSK cluster and Amazon VPC network for Lambda"
    "lambda": "on-demand pollers invoke the function from inside the VPC; provisioned ones from outside",
    "sts": "on-demand pollers take on the function's role",
}
NODES: Final = {  # EKS documentation, "Deploy private clusters with limited internet access"
    "ec2": "nodes describe themselves and their network interfaces",
    "ecr.api": "nodes get leave to pull the worker's image",
    "ecr.dkr": "nodes pull its manifest; the layers come from S3",
    "eks": "nodes look up the cluster that they join",
    "monitoring": "workers put their metrics",
    "eks-auth": "the Pod Identity agent fetches the workers' credentials",
    "sts": "nodes prove who they are to the cluster",
}


def needed(stage: StageConfig, pipelines: Iterable[str]) -> Mapping[str, str]:
    """The services, such as `ecr.api`, each with its reason."""
    if not isinstance(stage.network, NewNetwork) or stage.network.nat != "none":
        return {}
    on_demand = any(stage.run(pipeline).pollers is None for pipeline in pipelines)
    return {
        **EVERYWHERE,
        **(ON_DEMAND if on_demand else {}),
        **({} if isinstance(stage.eks, NoEks) else NODES),
    }
