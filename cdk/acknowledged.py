"""Findings of the checks that we accept, each with its reason. All other findings are fixed.

Keys: the construct's path within its stage, with * for a pipeline's name, and the finding's ID as the check prints it,
with {stage}, {region} and {account} as placeholders. A test fails on an entry that matches no finding.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

from aws_cdk import Acknowledgment, Stage, Validations

OF_EKS: Final = "EKS documents this policy for clusters in Auto Mode, and AWS updates it together with EKS"

ACKNOWLEDGED: Final[Mapping[str, Mapping[str, str]]] = {
    **{
        f"Kafka/{user}/Resource": {
            "AwsSolutions::AwsSolutions-SMG4": "processes hold connections with this password: an operator changes it"
            " when they can be restarted (MSK reads the new one from the secret)",
        }
        for user in ("ScramUser-*", "ScramAdmin", "ScramScaler")
    },
    "DeployRole/Deploy/DefaultPolicy/Resource": {
        "AwsSolutions::AwsSolutions-IAM5[Resource::*]": "ecr:GetAuthorizationToken and"
        " lambda:ListEventSourceMappings support no resource",
        "AwsSolutions::AwsSolutions-IAM5[Resource::arn:aws:ssm:{region}:{account}:parameter/tandem/{stage}/*]": "the"
        " manifests need the stage's parameters, none of which is secret",
    },
    "Eks/Cluster/Role/Resource": {
        f"AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonEKS{name}Policy]": OF_EKS
        for name in ("Cluster", "Compute", "BlockStorage", "LoadBalancing", "Networking")
    },
    "Eks/Cluster/ClusternodePoolRole/Resource": {
        f"AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/Amazon{name}]": OF_EKS
        for name in ("EKSWorkerNodePolicy", "EC2ContainerRegistryReadOnly")
    },
}


def acknowledge(scope: Stage) -> None:
    """Acknowledge the findings of a stage. Entries that it has no use for, such as SCRAM's, do nothing."""
    placeholders = {"stage": scope.stage_name, "region": scope.region, "account": scope.account or "<AWS::AccountId>"}
    for construct in scope.node.find_all():
        path = construct.node.path.removeprefix(f"{scope.node.path}/")
        for pattern in (key for key in ACKNOWLEDGED if fnmatchcase(path, key)):
            for finding, reason in ACKNOWLEDGED[pattern].items():
                rule = Acknowledgment(id=finding.format_map(placeholders), reason=reason)
                Validations.of(construct).acknowledge(rule)
