"""Types of single configuration values, each with the format that pydantic checks."""

import re
from ipaddress import IPv4Network
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

ISSUER: Final = "token.actions.githubusercontent.com"
MIN_PREFIX_LENGTH: Final = 16  # the largest range that a VPC can have
MAX_PREFIX_LENGTH: Final = 22  # the smallest range whose three subnets have enough addresses for nodes and pods


def _private_range(cidr: str) -> str:
    """Return the range in the form that CloudFormation returns; ValueError if it is public or has another size."""
    network = IPv4Network(cidr)
    if not (network.is_private and MIN_PREFIX_LENGTH <= network.prefixlen <= MAX_PREFIX_LENGTH):
        raise ValueError("not a private range of that size")
    return str(network)


def _public_range(cidr: str) -> str:
    """Return the range in the form that CloudFormation returns; ValueError if it is no range or the whole internet."""
    network = IPv4Network(cidr)
    if network.prefixlen == 0:
        raise ValueError("the whole internet")
    return str(network)


def _pattern(regex: str) -> StringConstraints:
    return StringConstraints(pattern=regex)


CidrRange = Annotated[str, AfterValidator(_private_range)]
PublicRange = Annotated[str, AfterValidator(_public_range)]
RoleArn = Annotated[str, _pattern(r"^arn:aws[a-z-]*:iam::\d{12}:role/\S+$")]
ProviderArn = Annotated[str, _pattern(rf"^arn:aws[a-z-]*:iam::\d{{12}}:oidc-provider/{re.escape(ISSUER)}$")]
PolicyArn = Annotated[str, _pattern(r"^arn:aws[a-z-]*:iam::(\d{12}|aws):policy/\S+$")]
TopicArn = Annotated[str, _pattern(r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$")]
ClusterArn = Annotated[str, _pattern(r"^arn:aws[a-z-]*:kafka:[a-z0-9-]+:\d{12}:cluster/[A-Za-z0-9-]+/[A-Za-z0-9-]+$")]
SecretArn = Annotated[
    str, _pattern(r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:AmazonMSK_\S+-[A-Za-z0-9]{6}$")
]
VpcConnectionArn = Annotated[
    str, _pattern(r"^arn:aws[a-z-]*:kafka:[a-z0-9-]+:\d{12}:vpc-connection/\d{12}/[A-Za-z0-9-]+/[A-Za-z0-9-]+$")
]
AnySecretArn = Annotated[str, _pattern(r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:\S+-[A-Za-z0-9]{6}$")]
KeyArn = Annotated[str, _pattern(r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[a-z0-9-]+$")]
VpcId = Annotated[str, _pattern(r"^vpc-([0-9a-f]{8}|[0-9a-f]{17})$")]
SecurityGroupId = Annotated[str, _pattern(r"^sg-([0-9a-f]{8}|[0-9a-f]{17})$")]
SubnetId = Annotated[str, _pattern(r"^subnet-([0-9a-f]{8}|[0-9a-f]{17})$")]
LogDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]  # the retention periods of CloudWatch Logs


class ConfigModel(BaseModel):
    """The base of all configuration models: immutable, and unknown names are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid")
