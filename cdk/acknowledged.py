"""What the checks find and we leave as it is, each with the reason why that holds. Everything else is fixed instead.

Keys: the construct's path within its stage, with * for a pipeline's name, and the finding's ID as the check prints it,
with {stage}, {region} and {account} for what differs. A test refuses entries that nothing needs any more.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Final

from aws_cdk import Acknowledgment, Stage, Validations

OF_EKS: Final = "EKS documents this policy for clusters in Auto Mode, and AWS changes it together with EKS"

ACKNOWLEDGED: Final[Mapping[str, Mapping[str, str]]] = {
    "Kafka/ScramUser/Resource": {
        "AwsSolutions::AwsSolutions-SMG4": "both runtimes hold connections under this password: an operator changes it"
        " while they can be restarted (MSK takes the new one from the secret by itself)",
    },
    "Delivery/Deploy/DefaultPolicy/Resource": {
        "AwsSolutions::AwsSolutions-IAM5[Resource::*]": "ecr:GetAuthorizationToken and"
        " lambda:ListEventSourceMappings take no resource",
        "AwsSolutions::AwsSolutions-IAM5[Resource::arn:aws:lambda:{region}:{account}:function:tandem-{stage}-*]": "a"
        " function per pipeline, whichever those are, and its versions and alias",
        "AwsSolutions::AwsSolutions-IAM5[Resource::arn:aws:ssm:{region}:{account}:parameter/tandem/{stage}/*]": "the"
        " manifests take the stage's parameters, and nothing secret is among them",
    },
    "Steady/Cluster/Role/Resource": {
        f"AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonEKS{name}Policy]": OF_EKS
        for name in ("Cluster", "Compute", "BlockStorage", "LoadBalancing", "Networking")
    },
    "Steady/Cluster/ClusternodePoolRole/Resource": {
        f"AwsSolutions::AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/Amazon{name}]": OF_EKS
        for name in ("EKSWorkerNodePolicy", "EC2ContainerRegistryReadOnly")
    },
}


def acknowledge(stage: Stage) -> None:
    """Tell the checks. A path that this stage does not have belongs to another choice, such as SCRAM."""
    filling = {"stage": stage.stage_name, "region": stage.region, "account": stage.account or "<AWS::AccountId>"}
    for construct in stage.node.find_all():
        path = construct.node.path.removeprefix(f"{stage.node.path}/")
        for pattern in (each for each in ACKNOWLEDGED if fnmatchcase(path, each)):
            for finding, reason in ACKNOWLEDGED[pattern].items():
                rule = Acknowledgment(id=finding.format_map(filling), reason=reason)
                Validations.of(construct).acknowledge(rule)
