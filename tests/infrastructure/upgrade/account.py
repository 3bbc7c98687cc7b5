"""An account into which stacks are deployed as CloudFormation does it: what it refuses, and what it leaves behind.

Follows AWS (CloudFormation user guide, "Update behaviors of stack resources", "Fn::ImportValue", "Fn::GetStackOutput",
"DeletionPolicy", "Import AWS resources into a CloudFormation stack"):
- resources are created and updated first, and deleted when all of that has succeeded
- a change of a create-only property replaces the resource: the new one is created before the old one is deleted, so a
  name of ours makes that impossible
- an export that another stack imports can be neither removed nor changed
- a weak reference is read when its stack is deployed, and the CDK does not deploy a stack whose template is unchanged
- a resource with DeletionPolicy Retain stays in the account, and its name stays taken
Learned from issues: where the text of a create-only property becomes a weak reference, CloudFormation plans a
replacement (aws-cdk #38829); a mapping's Topics change without effect (cloudformation-coverage-roadmap #2140); a custom
resource's service token cannot change. Kafka removes no partition, and MSK's volumes do not shrink.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

from tests.infrastructure.upgrade.identity import Identity, identity
from tests.infrastructure.upgrade.schemas import Path, can_be_imported, create_only, get, identified_by_name
from tests.infrastructure.upgrade.values import WEAK, Values

Template = Mapping[str, Any]
Stacks = Sequence[tuple[str, Template]]
"""Names and templates in the order of their deployment."""
KEPT: Final = "kept"  # owner of a resource that no stack has any more
RETAINED: Final = ("Retain", "RetainExceptOnCreate")
# Changes that the service accepts and ignores, or never makes: type, property, and why.
IGNORED: Final[Mapping[str, tuple[tuple[Path, str], ...]]] = {
    "AWS::Lambda::EventSourceMapping": (
        (("Topics",), "has no effect"),
        (("AmazonManagedKafkaEventSourceConfig", "ConsumerGroupId"), "has no effect"),
    ),
}
GROWING: Final[Mapping[str, tuple[Path, ...]]] = {
    "AWS::MSK::Topic": (("PartitionCount",),),
    "AWS::MSK::Cluster": (("BrokerNodeGroupInfo", "StorageInfo", "EBSStorageInfo", "VolumeSize"),),
}


class Refused(Exception):  # noqa: N818 - named like the CDK's errors, by what happened
    """The deployment fails, and its stack is rolled back."""

    def __init__(self, reason: str, place: str, detail: object) -> None:
        super().__init__(f"{reason}: {place}: {detail}")
        self.reason = reason


@dataclass
class Resource:
    """A resource of a deployed stack."""

    type: str
    properties: Mapping[str, Any]
    physical: str
    kept_on_removal: bool
    kept_on_replacement: bool


@dataclass
class Stack:
    """A deployed stack. `read` has the values of its weak references, by the names of stack and output."""

    template: Template
    resources: dict[str, Resource] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    exports: dict[str, str] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    read: dict[tuple[str, str], str] = field(default_factory=dict)


@dataclass
class Account:
    """The stacks and the names that are taken. `imports` are the logical IDs of existing resources that a deployment
    may take over, as `cdk import` does.
    """

    stacks: dict[str, Stack] = field(default_factory=dict)
    taken: dict[Identity, str] = field(default_factory=dict)
    kept: list[Resource] = field(default_factory=list)
    created: int = 0

    def deploy(self, stacks: Stacks, imports: frozenset[str] = frozenset()) -> None:
        """Deploy an app, as `cdk deploy` does. Raises Refused at the first stack that fails; those before it stay."""
        for name, template in stacks:
            if name in self.stacks and self.stacks[name].template == template:
                continue
            attempt = deepcopy(self)
            Deployment(attempt, name, template, imports).run()
            self.__dict__.update(attempt.__dict__)
        self._check_reads({name for name, _ in stacks})

    def destroy(self) -> None:
        """Delete all stacks, the last one first. What their policies retain stays in the account."""
        for name in reversed(list(self.stacks)):
            stack = self.stacks.pop(name)
            for resource in stack.resources.values():
                self.release(resource, kept=resource.kept_on_removal)

    def release(self, resource: Resource, *, kept: bool) -> None:
        """A resource leaves its stack, and the account unless it is kept."""
        name = identity(resource.type, resource.properties)
        if kept:
            self.kept.append(resource)
            if name:
                self.taken[name] = KEPT
        elif name:
            self.taken.pop(name, None)

    def _check_reads(self, names: set[str]) -> None:
        """Refuse a stack that still has the old value of another one's output. It was not deployed: see `deploy`."""
        for name in names:
            for (producer, output), value in self.stacks[name].read.items():
                now = self.stacks[producer].outputs.get(output)
                if now != value:
                    raise Refused("stale reference", name, f"{producer} {output} was {value}, is {now}")


class Deployment:
    """One deployment of one stack, which changes the account."""

    def __init__(self, account: Account, name: str, template: Template, imports: frozenset[str]) -> None:
        self._account, self._name, self._template, self._imports = account, name, template, imports
        self._old = account.stacks.get(name, Stack({}))
        self._new = Stack(template)
        self._values = Values(template.get("Parameters", {}), self._physical, self._imported, self._output)
        self._leaving: list[Resource] = []

    def run(self) -> None:
        """Create and update, then delete. Raises Refused."""
        for logical in self._template["Resources"]:
            self._physical(logical)
        for name, output in self._template.get("Outputs", {}).items():
            self._new.outputs[name] = self._values(output["Value"])
            if "Export" in output:
                self._new.exports[self._values(output["Export"]["Name"])] = self._new.outputs[name]
        self._check_exports()
        self._account.stacks[self._name] = self._new
        for logical, resource in self._old.resources.items():
            if logical not in self._new.resources:
                self._account.release(resource, kept=resource.kept_on_removal)
        for resource in self._leaving:
            self._account.release(resource, kept=resource.kept_on_replacement)

    def _check_exports(self) -> None:
        for export, value in self._old.exports.items():
            if self._new.exports.get(export) == value:
                continue
            for name, stack in self._account.stacks.items():
                if name != self._name and export in stack.imports:
                    raise Refused("export in use", self._name, f"{export} by {name}")

    def _physical(self, logical: str) -> str:
        """The physical ID of a resource, after its deployment."""
        if logical not in self._new.resources:
            self._new.resources[logical] = self._resource(logical, self._template["Resources"][logical])
        resource = self._new.resources[logical]
        if resource.type.startswith("Custom::"):  # its attributes are answers, which follow its properties
            return f"{resource.physical} with {json.dumps(resource.properties, sort_keys=True)}"
        return resource.physical

    def _resource(self, logical: str, given: Mapping[str, Any]) -> Resource:
        type_, place = given["Type"], f"{self._name} {logical}"
        for other in _references(given.get("DependsOn", [])):
            self._physical(other)
        properties = self._values(given.get("Properties", {}))
        before = self._old.resources.get(logical)
        new = Resource(
            type_, properties, "", _policy(given, "DeletionPolicy"), _policy(given, "UpdateReplacePolicy")
        )  # fmt: skip
        if before is None:
            return self._create(place, logical, new)
        if before.type != type_:
            raise Refused("type changed", place, f"{before.type} to {type_}")
        self._check_update(place, before, new)
        if not self._replaces(logical, before, new):
            new.physical = before.physical
            return self._rename(place, before, new)
        if identity(type_, before.properties) == identity(type_, properties) is not None:
            raise Refused("named resource replaced", place, identity(type_, properties))
        self._leaving.append(before)
        return self._create(place, logical, new)

    def _create(self, place: str, logical: str, new: Resource) -> Resource:
        name = identity(new.type, new.properties)
        if name and name in self._account.taken:
            if self._account.taken[name] != KEPT or logical not in self._imports:
                raise Refused("exists already", place, name)
            if not (can_be_imported(new.type) and "DeletionPolicy" in self._template["Resources"][logical]):
                raise Refused("cannot be imported", place, new.type)
        if name:
            self._account.taken[name] = self._name
        self._account.created += 1
        new.physical = f"{self._name}/{logical} {self._account.created}"
        return new

    def _rename(self, place: str, before: Resource, new: Resource) -> Resource:
        """An update in place can change what identifies a resource, as a bucket policy's bucket."""
        old_name, name = identity(before.type, before.properties), identity(new.type, new.properties)
        if name != old_name:
            if name in self._account.taken:
                raise Refused("exists already", place, name)
            if old_name:
                self._account.taken.pop(old_name, None)
            if name:
                self._account.taken[name] = self._name
        return new

    def _check_update(self, place: str, before: Resource, new: Resource) -> None:
        for path, why in IGNORED.get(new.type, ()):
            if get(before.properties, path) != get(new.properties, path):
                raise Refused(why, place, f"{'.'.join(path)} changed")
        for path in GROWING.get(new.type, ()):
            was, now = get(before.properties, path), get(new.properties, path)
            if was is not None and now is not None and int(now) < int(was):
                raise Refused("cannot shrink", place, f"{'.'.join(path)} from {was} to {now}")
        if get(before.properties, ("ServiceToken",)) != get(new.properties, ("ServiceToken",)):
            raise Refused("service token changed", place, new.type)

    def _replaces(self, logical: str, before: Resource, new: Resource) -> bool:
        return any(
            get(before.properties, path) != get(new.properties, path) or self._becomes_weak(logical, path)
            for path in create_only(new.type)
        )

    def _becomes_weak(self, logical: str, path: Path) -> bool:
        was, now = (
            json.dumps(get(template["Resources"][logical].get("Properties", {}), path), sort_keys=True)
            for template in (self._old.template, self._template)
        )
        return was != now and WEAK in now

    def _imported(self, export: str) -> str:
        self._new.imports.add(export)
        for stack in self._account.stacks.values():
            if export in stack.exports:
                return stack.exports[export]
        raise Refused("missing output", self._name, export)

    def _output(self, stack: str, output: str) -> str:
        producer = self._account.stacks.get(stack)
        if producer is None or output not in producer.outputs:
            raise Refused("missing output", self._name, f"{stack} {output}")
        self._new.read[stack, output] = producer.outputs[output]
        return producer.outputs[output]


def adoptable_by_name(type_: str) -> bool:
    """Whether `cdk deploy --import-existing-resources` finds the resource itself, by the name in the template."""
    return can_be_imported(type_) and identified_by_name(type_)


def _policy(given: Mapping[str, Any], name: str) -> bool:
    return given.get(name) in RETAINED


def _references(depends_on: str | Sequence[str]) -> Iterator[str]:
    yield from [depends_on] if isinstance(depends_on, str) else depends_on
