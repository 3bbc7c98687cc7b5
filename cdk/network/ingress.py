"""Rules between security groups, which are given by their IDs. No rule allows an address range.

A rule belongs to the stack of the client's group. In the stack of the server's group it would make the two stacks
depend on each other.
"""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct


def admit(scope: Construct, name: str, peer: str, into: str, port: int) -> None:
    """Let members of the group `peer` open TCP connections to a port of members of the group `into`."""
    ec2.CfnSecurityGroupIngress(
        scope,
        name,
        group_id=into,
        source_security_group_id=peer,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        description=name,
    )


def let_out(scope: Construct, name: str, peer: str, to: str, port: int) -> None:
    """The egress rule that corresponds to `admit`, for a group whose outbound traffic is restricted."""
    ec2.CfnSecurityGroupEgress(
        scope,
        name,
        group_id=peer,
        destination_security_group_id=to,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        description=name,
    )
