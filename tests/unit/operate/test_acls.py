"""`tandem acls`: what it would change, what it changes, and for whom it does nothing."""

from dataclasses import replace

import pytest

from functions.core.acls import Acl, Operation, ResourceKind, pipeline_user, required
from functions.core.errors import InvalidSetting, Refused
from functions.operate.acls.plan import plan
from functions.operate.acls.run import AclRequest, describe, is_pending, run
from functions.pipelines.logins import PIPELINE
from tests.unit.operate.world import Output, World

ADMIN = "tandem_test_admin"
OTHER = replace(PIPELINE, name="orders", topic="user-order")
OF_OTHER = set(pipeline_user("test", OTHER))
FOREIGN = Acl("shop", Operation.WRITE, ResourceKind.TOPIC, PIPELINE.topic)


@pytest.fixture
def connected(world: World) -> World:
    world.access.connected = ADMIN
    return world


def said(world: World, request: AclRequest) -> list[str]:
    say = Output()
    describe(run(world.context, request), request, say)
    return say.lines


def test_without_execute_nothing_changes(connected: World) -> None:
    lines = said(connected, AclRequest([PIPELINE]))
    assert lines[0] == "would add 10 ACLs"
    assert "  tandem_test_logins_pipeline: read topic user-login" in lines
    assert "topic user-login: its first ACLs will close it to every user without one" in lines
    assert lines[-1].startswith("to change them, add --execute")
    assert connected.access.stored == set()


def test_execute_adds_what_is_missing_and_the_next_run_has_nothing_to_do(connected: World) -> None:
    request = AclRequest([PIPELINE], producers=["shop"], execute=True)
    assert said(connected, request)[0] == "added 11 ACLs"
    assert connected.access.stored == required("test", [PIPELINE]) | {FOREIGN}
    assert said(connected, request) == ["every user has the ACLs that it needs, and no other"]
    assert not is_pending(run(connected.context, AclRequest([PIPELINE])), AclRequest([PIPELINE]))


def test_the_admins_own_acls_come_first(connected: World) -> None:
    """Another one for the cluster would take the admin's right to create the rest."""
    change = plan("test", [PIPELINE], ())
    assert {acl.user for acl in change.first} == {ADMIN}
    assert ADMIN not in {acl.user for acl in change.then}


def test_what_is_not_needed_is_kept_until_it_is_pruned(connected: World) -> None:
    """Workers of the release before may still need it."""
    connected.access.stored = set(required("test", [PIPELINE])) | OF_OTHER | {FOREIGN}
    kept = said(connected, AclRequest([PIPELINE], every=True, execute=True))
    assert kept[0].startswith("not needed by this release, and kept without --prune")
    assert connected.access.stored >= OF_OTHER
    assert said(connected, AclRequest([PIPELINE], prune=True, execute=True))[0].startswith("every user")
    assert connected.access.stored >= OF_OTHER  # of a pipeline that was not named
    assert said(connected, AclRequest([PIPELINE], every=True, prune=True))[0] == f"would remove {len(OF_OTHER)} ACLs"
    said(connected, AclRequest([PIPELINE], every=True, prune=True, execute=True))
    assert connected.access.stored == required("test", [PIPELINE]) | {FOREIGN}


@pytest.mark.parametrize("user", [None, "tandem_test_logins_pipeline", "shop"])
def test_only_the_admin_changes_acls(world: World, user: str | None) -> None:
    world.access.connected = user
    with pytest.raises(Refused, match="scram" if user is None else f"expected to connect as {ADMIN}, got {user}"):
        run(world.context, AclRequest([PIPELINE], execute=True))
    assert world.access.stored == set()


def test_a_producer_is_none_of_the_stages_users(connected: World) -> None:
    with pytest.raises(InvalidSetting, match="--producer: expected a user that is not one of the stage's own"):
        run(connected.context, AclRequest([PIPELINE], producers=["tandem_test_keda"]))
