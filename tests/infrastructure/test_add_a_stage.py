"""The stages of docs/add-a-stage.md synthesise, and a developer's one has what the page says."""

import json
from pathlib import Path

import pytest

from tests.docs.pages import page
from tests.infrastructure.conftest import Templates, synthesise

BLOCKS = [json.loads(block.code) for block in page("docs/add-a-stage.md").blocks if block.language == "json"]


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return synthesise(Path(tmp_path_factory.mktemp("stages")), {**BLOCKS[0], **BLOCKS[1]})


def test_a_developers_stage_has_no_workers_no_brokers_and_keeps_nothing(stages: Templates) -> None:
    assert not any(stack == ("ada", "eks") for stack in stages.by_stack)
    assert stages.resources("ada", "kafka", "AWS::MSK::ServerlessCluster")
    policies = {
        resource.get("DeletionPolicy", "Delete")
        for (stage, _), template in stages.by_stack.items()
        if stage == "ada"
        for resource in template["Resources"].values()
        if resource["Type"] != "AWS::Lambda::Version"
    }
    assert policies == {"Delete"}


def test_a_teams_stage_is_protected_and_has_its_own_range(stages: Templates) -> None:
    assert stages.one("staging", "network", "AWS::EC2::VPC")["CidrBlock"] == "10.1.0.0/16"
    tables = stages.resources("staging", "stores", "AWS::DynamoDB::GlobalTable").values()
    assert {each["DeletionPolicy"] for each in tables} == {"RetainExceptOnCreate"}
