"""The upgrade simulator finds each kind of flaw, planted into the code or into a template."""

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from cdk import names, references
from cdk.kafka import brokers
from cdk.runtimes.msk import event_source
from functions.pipelines.logins import PIPELINE
from tests.infrastructure.conftest import ALTERNATIVES, PLACE
from tests.infrastructure.upgrade import assembly
from tests.infrastructure.upgrade.account import Account, Refused, Stacks
from tests.infrastructure.upgrade.changes import CHANGES, DEV, LOGINS, Change, logins
from tests.infrastructure.upgrade.conftest import Synthesise

BY_NAME: Mapping[str, Change] = {change.name: change for change in CHANGES}
STRONG = {"@aws-cdk/core:defaultCrossStackReferences": "strong"}
SERVERLESS = DEV | {"kafka": {"kind": "serverless"}}


def edited(stacks: Stacks, stack: str, edit: Callable[[dict[str, Any]], None]) -> Stacks:
    """The stacks with an edit of one template's resources."""
    copy = deepcopy(list(stacks))
    edit(dict(copy)[stack]["Resources"])
    return copy


def of_type(resources: Mapping[str, Any], type_: str) -> dict[str, Any]:
    """The resources of a type, by logical ID."""
    return {name: resource for name, resource in resources.items() if resource["Type"] == type_}


@pytest.mark.parametrize(
    "name", ["no workers any more", "SCRAM", "NAT", "a renamed table", "no counters any more", "no Redshift"]
)
def test_strong_references_deadlock(account: Account, name: str) -> None:
    change = BY_NAME[name]
    stage = "prod" if change.before.get("redshift") else "dev"
    account.deploy(assembly.stacks(stage, change.before, change.before_pipelines, STRONG))
    with pytest.raises(Refused, match=r"^export in use"):
        account.deploy(assembly.stacks(stage, change.stage, change.pipelines, STRONG))


def test_a_new_vpc_reaches_no_other_stack(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without references.fix: the CDK deploys no stack whose template is unchanged, and all others name the old VPC."""
    monkeypatch.setattr(references, "fix", lambda *_: None)
    change = BY_NAME["another range of addresses"]
    account.deploy(assembly.stacks("dev", change.before, LOGINS))
    with pytest.raises(Refused, match=r"^stale reference: tandem-dev-\S+: tandem-dev-network"):
        account.deploy(assembly.stacks("dev", change.stage, LOGINS))


def test_a_weak_reference_goes_stale(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    def describe_group(resources: dict[str, Any]) -> None:
        for name, group in of_type(resources, "AWS::EC2::SecurityGroup").items():
            if name.startswith("Clients"):
                group["Properties"]["GroupDescription"] = "Another one"

    monkeypatch.setattr(references, "fix", lambda *_: None)
    made = assembly.stacks("dev", DEV, LOGINS)
    account.deploy(made)
    with pytest.raises(Refused, match=r"^stale reference: tandem-dev-"):
        account.deploy(edited(made, "tandem-dev-network", describe_group))


def test_a_type_changes_under_one_logical_id(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brokers, "LOGICAL_IDS", dict.fromkeys(brokers.LOGICAL_IDS, "Cluster"))
    account.deploy(assembly.stacks("dev", DEV, LOGINS))
    with pytest.raises(Refused, match=r"^type changed: tandem-dev-kafka Cluster"):
        account.deploy(assembly.stacks("dev", SERVERLESS, LOGINS))


def test_the_next_cluster_has_the_name_of_the_last_one(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "kafka_cluster", lambda stage, _: names.cluster(stage))
    account.deploy(assembly.stacks("dev", DEV, LOGINS))
    with pytest.raises(Refused, match=r"^exists already: tandem-dev-kafka ServerlessCluster"):
        account.deploy(assembly.stacks("dev", SERVERLESS, LOGINS))


def test_another_topic_has_no_effect(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_source, "logical_id", lambda pipeline: f"Mapping-{pipeline.name}")
    account.deploy(assembly.stacks("dev", DEV, LOGINS))
    with pytest.raises(Refused, match=r"^has no effect: tandem-dev-lambda Mappinglogins: Topics changed"):
        account.deploy(assembly.stacks("dev", DEV, logins(topic="sign-in")))


def test_the_version_before_a_release_is_deleted(account: Account, synthesised: Synthesise) -> None:
    def delete_versions(resources: dict[str, Any]) -> None:
        for version in of_type(resources, "AWS::Lambda::Version").values():
            del version["DeletionPolicy"], version["UpdateReplacePolicy"]

    more_memory = DEV | {"pipelines": {"logins": {"runtime": "msk", "memory_mib": 3538}}}
    for stage in (DEV, more_memory):
        account.deploy(edited(synthesised(stage, LOGINS), "tandem-dev-lambda", delete_versions))
    assert account.kept == []


def test_a_name_is_taken_by_another_stage(account: Account) -> None:
    """Stage `aa` with pipeline `b-cc`, and stage `aa-b` with pipeline `cc`, which the configuration refuses."""
    first, second = (
        assembly.stacks(stage, PLACE | {"eks": {"kind": "none"}}, {name: replace(PIPELINE, name=name, topic=name)})
        for stage, name in (("aa", "b-cc"), ("zz", "cc"))
    )
    account.deploy(first)
    with pytest.raises(Refused, match=r"^exists already: tandem-aa-b-lambda"):
        account.deploy(json.loads(json.dumps(list(second)).replace("zz", "aa-b")))


def test_two_stages_make_one_rule(account: Account) -> None:
    def add_rule(resources: dict[str, Any]) -> None:
        given = ALTERNATIVES["given"]
        groups = {"GroupId": given["kafka"]["security_group"], "SourceSecurityGroupId": given["eks"]["security_group"]}
        ports = {"IpProtocol": "tcp", "FromPort": 9096, "ToPort": 9096}
        resources["Rule"] = {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": groups | ports}

    one, two = (assembly.stacks(name, ALTERNATIVES["given"], LOGINS) for name in ("one", "two"))
    account.deploy(edited(one, "tandem-one-eks", add_rule))
    with pytest.raises(Refused, match=r"^exists already: tandem-two-eks Rule"):
        account.deploy(edited(two, "tandem-two-eks", add_rule))


def test_without_the_flaw_two_stages_share_existing_clusters(account: Account) -> None:
    for name in ("one", "two"):
        account.deploy(assembly.stacks(name, ALTERNATIVES["given"], LOGINS))


def test_a_stack_needs_an_output_that_is_not_there(account: Account, synthesised: Synthesise) -> None:
    made = [(name, template) for name, template in synthesised(DEV, LOGINS) if name != "tandem-dev-stores"]
    with pytest.raises(Refused, match=r"^missing output: tandem-dev-"):
        account.deploy(made)


def test_a_custom_resource_gets_another_function(account: Account, synthesised: Synthesise) -> None:
    def redirect(resources: dict[str, Any]) -> None:
        for resource in of_type(resources, "Custom::BootstrapServers").values():
            resource["Properties"]["ServiceToken"] = "arn:aws:lambda:us-east-1:111122223333:function:another"

    made = synthesised(DEV, LOGINS)
    account.deploy(made)
    with pytest.raises(Refused, match=r"^service token changed: tandem-dev-kafka BootstrapServers"):
        account.deploy(edited(made, "tandem-dev-kafka", redirect))
