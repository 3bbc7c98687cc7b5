"""Who may talk to whom: by security group, never by address range.

A rule lies in the stack of whoever comes, because one in the group's own stack would make the two depend on each other.
"""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct


def admit(scope: Construct, name: str, peer: ec2.ISecurityGroup, into: ec2.ISecurityGroup, port: int) -> None:
    """Let what carries `peer` open TCP connections to a port of what carries `into`."""
    ec2.CfnSecurityGroupIngress(
        scope,
        name,
        group_id=into.security_group_id,
        source_security_group_id=peer.security_group_id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        description=name,
    )


def let_out(scope: Construct, name: str, peer: ec2.ISecurityGroup, to: ec2.ISecurityGroup, port: int) -> None:
    """The same from the other side, for a group that may not go everywhere."""
    ec2.CfnSecurityGroupEgress(
        scope,
        name,
        group_id=peer.security_group_id,
        destination_security_group_id=to.security_group_id,
        ip_protocol="tcp",
        from_port=port,
        to_port=port,
        description=name,
    )
