"""Who may talk to whom: by security group, given by its ID, and never by address range.

A rule lies in the stack of whoever comes, because one in the group's own stack would make the two depend on each other.
"""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct


def admit(scope: Construct, name: str, peer: str, into: str, port: int) -> None:
    """Let what carries the group `peer` open TCP connections to a port of what carries `into`."""
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
    """The same from the other side, for a group that may not go everywhere."""
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
