"""How a stack refers to resources of another one: weakly, but for what could never be another resource.

Weak is the context's default (cdk.json): a value is read when a stack is deployed, so a resource can go while a stack
that is deployed later still has it. Strong is an export, which CloudFormation keeps as it is while a stack imports it.
That suits the key, the VPC, its subnets and the functions' group: the cluster and the stored data cannot move to
others, so a change that would replace one of them must fail before anything has changed. These are always exported: an
export that disappears with its last use could not be removed, because the stack that uses it is deployed later.
"""

from collections.abc import Sequence

from aws_cdk import CrossStackReferences, ReferenceStrength, Stack
from constructs import IConstruct


def fix(stack: Stack, resources: Sequence[IConstruct], values: Sequence[str]) -> None:
    """Refer strongly to resources of a stack, and export these values of theirs whether they are used or not."""
    for resource in resources:
        CrossStackReferences.of(resource).produce(ReferenceStrength.STRONG)
    for value in values:
        stack.export_value(value)
