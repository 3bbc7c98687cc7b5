"""Which ACLs to add and to remove, so that the stage's users may do what they need, and no more."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from functions.core import names
from functions.core.acls import Acl, ResourceKind, producer, required
from functions.core.errors import InvalidSetting
from functions.core.pipeline import AnyPipeline

Resource = tuple[ResourceKind, str]


@dataclass(frozen=True)
class AclPlan:
    """`first` creates what the operator's own user needs, before `then` closes anything to it.

    `unused`: what the stage's users have and don't need. A release that still runs may need it.
    """

    existing: Collection[Acl]
    first: list[Acl]
    then: list[Acl]
    unused: list[Acl]

    @property
    def added(self) -> list[Acl]:
        """All that are created, in order."""
        return [*self.first, *self.then]

    @cached_property
    def closed(self) -> list[Resource]:
        """The topics and groups that have no ACL yet: the first one closes them to all users without one."""
        before = {(acl.kind, acl.name) for acl in self.existing}
        after = {(acl.kind, acl.name) for acl in self.added if acl.kind is not ResourceKind.CLUSTER}
        return sorted(after - before, key=lambda resource: (resource[0].value, resource[1]))

    def as_dict(self) -> dict[str, Any]:
        """Return the plan for JSON."""
        return {
            "add": [_as_dict(acl) for acl in self.added],
            "unused": [_as_dict(acl) for acl in self.unused],
            "closes": [{"kind": kind.value, "name": name} for kind, name in self.closed],
        }


def plan(
    stage: str,
    pipelines: Collection[AnyPipeline],
    existing: Collection[Acl],
    *,
    producers: Collection[str] = (),
    every: bool = False,
) -> AclPlan:
    """Compare the cluster's ACLs with those that the pipelines need.

    Unused are only ACLs of the stage's own users: of these pipelines' users, or of all if `every` says that there is
    no other pipeline. Raises InvalidSetting for a producer with the name of one of the stage's users.
    """
    prefix = names.kafka_users(stage)
    if mistaken := [user for user in producers if user.startswith(prefix)]:
        raise InvalidSetting(f"--producer: expected a user that is not one of the stage's own, got {mistaken[0]!r}")
    needed = required(stage, pipelines)
    written = {producer(user, pipeline) for user in producers for pipeline in pipelines}
    users = {names.kafka_user(stage, pipeline.name) for pipeline in pipelines}
    missing, admin = (needed | written) - set(existing), names.admin_user(stage)
    return AclPlan(
        existing=existing,
        first=_ordered(acl for acl in missing if acl.user == admin),
        then=_ordered(acl for acl in missing if acl.user != admin),
        unused=_ordered(
            acl
            for acl in existing
            if acl not in needed and (acl.user in users or (every and acl.user.startswith(prefix)))
        ),
    )


def _ordered(acls: Iterable[Acl]) -> list[Acl]:
    return sorted(acls, key=Acl.describe)


def _as_dict(acl: Acl) -> dict[str, str]:
    return {"user": acl.user, "operation": acl.operation.value, "kind": acl.kind.value, "name": acl.name}
