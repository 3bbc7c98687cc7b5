"""What values of the configuration look like, each as a type that pydantic checks."""

import re
from ipaddress import IPv4Network
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

ISSUER: Final = "token.actions.githubusercontent.com"
LARGEST, SMALLEST = 16, 22  # prefix lengths: a VPC's limit, and room for nodes and pods in three subnets


def _range(cidr: str) -> str:
    """In the form that CloudFormation gives back, and big enough."""
    network = IPv4Network(cidr)
    if not (network.is_private and LARGEST <= network.prefixlen <= SMALLEST):
        raise ValueError("not a private range of that size")
    return str(network)


def _pattern(regex: str) -> StringConstraints:
    return StringConstraints(pattern=regex)


Range = Annotated[str, AfterValidator(_range)]
Role = Annotated[str, _pattern(r"^arn:aws[a-z-]*:iam::\d{12}:role/\S+$")]
Provider = Annotated[str, _pattern(rf"^arn:aws[a-z-]*:iam::\d{{12}}:oidc-provider/{re.escape(ISSUER)}$")]
ClusterArn = Annotated[str, _pattern(r"^arn:aws[a-z-]*:kafka:[a-z0-9-]+:\d{12}:cluster/[A-Za-z0-9-]+/[A-Za-z0-9-]+$")]
SecretArn = Annotated[
    str, _pattern(r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:AmazonMSK_\S+-[A-Za-z0-9]{6}$")
]
KeyArn = Annotated[str, _pattern(r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[a-z0-9-]+$")]
Vpc = Annotated[str, _pattern(r"^vpc-([0-9a-f]{8}|[0-9a-f]{17})$")]
Group = Annotated[str, _pattern(r"^sg-([0-9a-f]{8}|[0-9a-f]{17})$")]
Subnet = Annotated[str, _pattern(r"^subnet-([0-9a-f]{8}|[0-9a-f]{17})$")]
LogDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]  # what CloudWatch Logs takes


class Frozen(BaseModel):
    """What all parts of the configuration are: unchangeable, and without unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid")
