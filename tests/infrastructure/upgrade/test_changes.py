"""Every single change of a stage and of a pipeline is deployed, or refused for the expected reason."""

import re
from dataclasses import replace

import pytest

from functions.core.pipeline import Start
from tests.infrastructure.upgrade.account import Account, Refused, Stacks, adoptable_by_name
from tests.infrastructure.upgrade.changes import BOTH, CHANGES, DEV, LOGINS, PROD, Change, Pipelines, Stage, logins
from tests.infrastructure.upgrade.conftest import Synthesise
from tests.infrastructure.upgrade.schemas import can_be_imported


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name.replace(" ", "-"))
def test_change(account: Account, synthesised: Synthesise, change: Change) -> None:
    account.deploy(synthesised(change.before, change.before_pipelines))
    assert verdict(account, synthesised, change.stage, change.pipelines, change.refused) == change.refused


def verdict(
    account: Account, synthesised: Synthesise, stage: Stage, pipelines: Pipelines, expected: tuple[str, str] | None
) -> tuple[str, str] | None:
    """None if the deployment works, else the reason and, if it is the expected one, the expected place."""
    try:
        account.deploy(synthesised(stage, pipelines))
    except Refused as refusal:
        place = expected[1] if expected and re.search(expected[1], str(refusal)) else str(refusal)
        return refusal.reason, place
    return None


def test_there_are_many_changes() -> None:
    assert len({change.name for change in CHANGES}) == len(CHANGES) >= 20


@pytest.mark.parametrize(
    ("stage", "pipelines"),
    [
        (DEV, logins(topic="sign-in")),
        (DEV, logins(start=Start.LATEST)),
        (DEV | {"kafka": {"kind": "serverless"}}, LOGINS),
        (DEV | {"kafka": {"kind": "express"}}, LOGINS),
    ],
    ids=["topic", "start", "serverless", "express"],
)
def test_what_a_mapping_fixes_changes_after_a_deployment_without_it(
    account: Account, synthesised: Synthesise, stage: Stage, pipelines: Pipelines
) -> None:
    without = {"pipelines": {"logins": {"runtime": "msk", "event_source": False}}}
    account.deploy(synthesised(DEV, LOGINS))
    account.deploy(synthesised(DEV | without, LOGINS))
    account.deploy(synthesised(stage, pipelines))
    assert polled(account) == [pipelines["logins"].topic]


def test_after_a_refusal_the_two_steps_lead_on(account: Account, synthesised: Synthesise) -> None:
    serverless = DEV | {"kafka": {"kind": "serverless"}}
    without = {"pipelines": {"logins": {"runtime": "msk", "event_source": False}}}
    account.deploy(synthesised(DEV, LOGINS))
    with pytest.raises(Refused):
        account.deploy(synthesised(serverless, LOGINS))
    for stage in (serverless | without, serverless):
        account.deploy(synthesised(stage, LOGINS))
    assert polled(account) == ["user-login"]


def polled(account: Account) -> list[str]:
    """The topics of the only mapping of `dev`."""
    resources = account.stacks["tandem-dev-lambda"].resources.values()
    (mapping,) = (one for one in resources if one.type == "AWS::Lambda::EventSourceMapping")
    return list(mapping.properties["Topics"])


def test_the_version_before_a_release_stays(account: Account, synthesised: Synthesise) -> None:
    account.deploy(synthesised(DEV, LOGINS))
    account.deploy(synthesised(DEV | {"pipelines": {"logins": {"runtime": "msk", "memory_mib": 3538}}}, LOGINS))
    assert [one.type for one in account.kept] == ["AWS::Lambda::Version"]


@pytest.mark.parametrize("stage", [DEV, PROD], ids=["dev", "prod"])
def test_a_pipeline_that_comes_back_takes_over_what_was_retained(
    account: Account, synthesised: Synthesise, stage: Stage
) -> None:
    account.deploy(synthesised(stage, BOTH))
    account.deploy(synthesised(stage, LOGINS))
    with pytest.raises(Refused, match=r"^exists already: tandem-\w+-kafka Topicpageview"):
        account.deploy(synthesised(stage, BOTH))
    account.deploy(synthesised(stage, BOTH), imports=importable(account, synthesised(stage, BOTH)))


def test_a_protected_stage_that_was_destroyed_takes_over_what_was_retained(
    account: Account, synthesised: Synthesise
) -> None:
    stacks = synthesised(PROD, LOGINS)
    account.deploy(stacks)
    account.destroy()
    with pytest.raises(Refused, match=r"^exists already"):
        account.deploy(stacks)
    account.deploy(stacks, imports=importable(account, stacks))


def importable(account: Account, stacks: Stacks) -> frozenset[str]:
    """The logical IDs of resources of the types that the account still has without a stack."""
    types = {one.type for one in account.kept}
    return frozenset(
        logical for _, template in stacks for logical, one in template["Resources"].items() if one["Type"] in types
    )


def test_a_deployment_finds_retained_tables_and_buckets_by_name_but_no_topics_and_secrets() -> None:
    """docs/deployment.md has a command for each of both."""
    by_name = ("AWS::DynamoDB::GlobalTable", "AWS::S3::Bucket", "AWS::ECR::Repository")
    by_arn = ("AWS::MSK::Topic", "AWS::MSK::Cluster", "AWS::MSK::Configuration", "AWS::SecretsManager::Secret")
    assert [adoptable_by_name(type_) for type_ in (*by_name, *by_arn)] == [True] * 3 + [False] * 4
    assert all(can_be_imported(type_) for type_ in (*by_name, *by_arn))


def test_two_stages_share_an_account(account: Account, synthesised: Synthesise) -> None:
    account.deploy(synthesised(DEV, BOTH))
    account.deploy(synthesised(PROD, BOTH))


def test_an_unchanged_stage_is_deployed_again(account: Account, synthesised: Synthesise) -> None:
    account.deploy(synthesised(DEV, LOGINS))
    before = replace(account)
    account.deploy(synthesised(DEV, LOGINS))
    assert account == before
