"""`tandem acls`: show the ACLs that a stage's users lack or have too many of, and with `execute` change them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from functions.core import names
from functions.core.acls import Acl
from functions.core.errors import Refused
from functions.core.operator_ports import AccessControl
from functions.core.pipeline import AnyPipeline
from functions.operate.acls.plan import AclPlan, plan
from functions.operate.context import OperatorContext
from functions.operate.formatting import counted


@dataclass(frozen=True, slots=True)
class AclRequest:
    """What the operator asked for. `every`: `pipelines` are all that the stage has."""

    pipelines: Sequence[AnyPipeline]
    producers: Sequence[str] = ()
    every: bool = False
    prune: bool = False
    execute: bool = False


def run(context: OperatorContext, request: AclRequest) -> AclPlan:
    """Return what differs, and apply it if the request says so. Refused for any user but the stage's admin.

    Another user would create the ACL that removes its own right to create ACLs.
    """
    access, admin = context.access, names.admin_user(context.stage)
    if (user := access.user()) != admin:
        raise Refused(f"acls: expected to connect as {admin}, got {user}: TANDEM_ADMIN_SCRAM_FROM says where it is")
    change = plan(
        context.stage, request.pipelines, access.acls(), producers=request.producers, every=request.every
    )  # fmt: skip
    if request.execute:
        _open(access, change.first)
        access.create(change.then)
        if request.prune:
            access.delete(change.unused)
    return change


def _open(access: AccessControl, first: Sequence[Acl]) -> None:
    """Create the operator's own ACLs, after which it may create the others."""
    try:
        access.create(first)
    except Refused as error:
        way_out = "If the cluster requires ACLs and has none, deploy it with requires_acls false first"
        raise Refused(f"{error}. {way_out}") from None


def is_pending(change: AclPlan, request: AclRequest) -> bool:
    """Whether the request would still change something."""
    return not request.execute and bool(change.added or (request.prune and change.unused))


def describe(change: AclPlan, request: AclRequest, say: Callable[[str], None]) -> None:
    """Report a plan, or what was done."""
    for line in _lines(change, request):
        say(line)


def _lines(change: AclPlan, request: AclRequest) -> Iterator[str]:
    executed = request.execute
    yield from _listed("added" if executed else "would add", change.added)
    for kind, name in change.closed:
        yield f"{kind.value} {name}: its first ACLs{'' if executed else ' will'} close it to every user without one"
    if request.prune:
        yield from _listed("removed" if executed else "would remove", change.unused)
    elif change.unused:
        yield from _listed("not needed by this release, and kept without --prune:", change.unused)
    if is_pending(change, request):
        yield "to change them, add --execute. Producers need an ACL, too: --producer USER"
    elif not (change.added or change.unused):
        yield "every user has the ACLs that it needs, and no other"


def _listed(verb: str, acls: Sequence[Acl]) -> Iterator[str]:
    if acls:
        yield f"{verb} {counted(len(acls), 'ACL')}"
        yield from (f"  {acl.describe()}" for acl in acls)
