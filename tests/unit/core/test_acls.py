"""Which ACLs a stage's SCRAM users need."""

from dataclasses import replace

import pytest

from functions.core.acls import Acl, Operation, ResourceKind, admin, pipeline_user, producer, required, scaler
from functions.core.sinks import Lake
from functions.pipelines.logins import PIPELINE

LOGINS = "tandem_dev_logins_pipeline"


def described(acls: object) -> list[str]:
    assert isinstance(acls, frozenset | list)
    return sorted(acl.describe() for acl in acls)


def test_a_pipeline_reads_its_topic_and_group_and_writes_its_outputs() -> None:
    assert described([*pipeline_user("dev", PIPELINE)]) == [
        f"{LOGINS}: describe-configs cluster",
        f"{LOGINS}: read group dev-logins",
        f"{LOGINS}: read topic user-login",
        f"{LOGINS}: write topic processed-user-login",
    ]
    without = pipeline_user("dev", replace(PIPELINE, sinks=(Lake(),)))
    assert {acl.operation for acl in without} == {Operation.READ, Operation.DESCRIBE_CONFIGS}


def test_keda_only_describes() -> None:
    assert described([*scaler("dev", PIPELINE)]) == [
        "tandem_dev_keda: describe group dev-logins", "tandem_dev_keda: describe topic user-login",
    ]  # fmt: skip


def test_operators_have_the_stages_topics_and_groups_and_the_acls() -> None:
    assert described([*admin("dev", PIPELINE)]) == [
        "tandem_dev_admin: all group dev-logins",
        "tandem_dev_admin: all topic processed-user-login",
        "tandem_dev_admin: all topic user-login",
        "tandem_dev_admin: alter cluster",
    ]


def test_all_users_of_all_pipelines() -> None:
    other = replace(PIPELINE, name="orders", topic="user-order")
    together = required("dev", [PIPELINE, other])
    assert together == required("dev", [PIPELINE]) | required("dev", [other])
    assert len({acl.user for acl in together}) == 4
    assert required("dev", []) == frozenset()


@pytest.mark.parametrize("kind", [ResourceKind.TOPIC, ResourceKind.GROUP])
def test_no_acl_names_everything(kind: ResourceKind) -> None:
    """It would close all other topics to the other users of the cluster."""
    assert all("*" not in acl.name for acl in required("dev", [PIPELINE]) if acl.kind is kind)


def test_a_producer_writes_the_source_topic() -> None:
    assert producer("shop", PIPELINE) == Acl("shop", Operation.WRITE, ResourceKind.TOPIC, "user-login")
