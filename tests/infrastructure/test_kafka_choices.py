"""Choices of a stage's Kafka that change topics and mappings: given clusters, other accounts, tiered storage."""

import json
from base64 import b64decode
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cdk.config import StageConfig
from functions.core.topic_config import TopicConfig
from functions.pipelines.logins import PIPELINE
from tests.infrastructure.conftest import ALTERNATIVES, PLACE, PROVISIONED, Templates, synthesise

CONNECTION = "arn:aws:kafka:us-east-1:111122223333:vpc-connection/444455556666/shared/0a1b2c3d-2"
GIVEN: dict[str, Any] = {
    name: value for name, value in ALTERNATIVES["given"].items() if name not in {"kafka_auth", "eks", "github"}
}
KAFKA = {name: value for name, value in GIVEN["kafka"].items() if not name.startswith("scram")}
TIERED = {"kind": "standard", "tiered_storage": True}
STAGES: dict[str, Any] = {
    "given": GIVEN | {"kafka": KAFKA | {"topics": "express"}, "eks": {"kind": "none"}},
    "far": GIVEN | {"kafka": KAFKA | {"vpc_connection": CONNECTION}, "eks": {"kind": "none"}},
    "tiered": PLACE | {"kafka": TIERED, "eks": {"kind": "none"}, "pipelines": PROVISIONED},
    "plain": PLACE | {"kafka": {"kind": "standard"}, "eks": {"kind": "none"}, "pipelines": PROVISIONED},
}


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    kept = replace(PIPELINE, topic_config=TopicConfig(local_retention_hours=12))
    return synthesise(Path(tmp_path_factory.mktemp("kafka")), STAGES, {"logins": kept})


def settings(stages: Templates, stage: str, topic: str) -> dict[str, str]:
    found = stages.resources(stage, "kafka", "AWS::MSK::Topic").values()
    (configs,) = (each["Properties"]["Configs"] for each in found if each["Properties"]["TopicName"] == topic)
    return dict(json.loads(b64decode(configs)))


def test_topics_are_created_on_a_given_cluster_if_the_stage_says_so(stages: Templates) -> None:
    topics = stages.resources("given", "kafka", "AWS::MSK::Topic").values()
    assert {each["Properties"]["TopicName"] for each in topics} == {"user-login", "processed-user-login"}
    assert {each["Properties"]["ClusterArn"] for each in topics} == {KAFKA["arn"]}
    assert settings(stages, "given", "user-login") == {"retention.ms": "604800000"}
    assert "TopicsToMake" not in stages["given", "kafka"].get("Outputs", {})
    assert not stages.resources("far", "kafka", "AWS::MSK::Topic")


def test_the_mapping_reads_a_cluster_of_another_account_by_the_connection(stages: Templates) -> None:
    mapping = stages.one("far", "lambda", "AWS::Lambda::EventSourceMapping")
    assert mapping["EventSourceArn"] == CONNECTION
    statements = [
        statement
        for role in stages.resources("far", "lambda", "AWS::IAM::Role").values()
        for policy in role["Properties"].get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    by_sid = {statement.get("Sid"): statement for statement in statements}
    assert by_sid["Connection"]["Action"] == "kafka:DescribeVpcConnection"
    assert by_sid["Connection"]["Resource"] == CONNECTION
    assert by_sid["Source"]["Resource"] == "arn:aws:kafka:us-east-1:111122223333:topic/shared/0a1b2c3d-1/user-login"
    near = json.dumps(stages["given", "lambda"])
    assert "VpcConnection" not in near


def test_older_records_move_to_the_cheaper_storage_where_the_cluster_has_it(stages: Templates) -> None:
    assert stages.one("tiered", "kafka", "AWS::MSK::Cluster")["StorageMode"] == "TIERED"
    assert settings(stages, "tiered", "user-login") == {
        "retention.ms": "604800000", "min.insync.replicas": "2",
        "remote.storage.enable": "true", "local.retention.ms": "43200000",
    }  # fmt: skip
    assert "remote.storage.enable" not in settings(stages, "tiered", "processed-user-login")
    assert "StorageMode" not in stages.one("plain", "kafka", "AWS::MSK::Cluster")
    assert "remote.storage.enable" not in settings(stages, "plain", "user-login")


@pytest.mark.parametrize(
    ("kafka", "problem"),
    [
        (
            TIERED | {"instance": "kafka.t3.small", "version": "3.9.x"},
            "expected a larger one if tiered_storage is true",
        ),
        (KAFKA | {"topics": "standard", "vpc_connection": CONNECTION}, "expected none: another account's cluster"),
        (KAFKA | {"vpc_connection": KAFKA["arn"]}, "vpc_connection"),
    ],
)
def test_what_cannot_work_is_refused(kafka: dict[str, Any], problem: str) -> None:
    stage = GIVEN if kafka["kind"] == "existing" else PLACE
    with pytest.raises(ValueError, match=problem):
        StageConfig.model_validate(stage | {"name": "dev", "kafka": kafka, "eks": {"kind": "none"}})


@pytest.mark.parametrize("hours", [0, 168, 200])
def test_a_local_retention_is_shorter_than_the_whole(hours: int) -> None:
    (problem,) = TopicConfig(local_retention_hours=hours).problems()
    assert problem.startswith("local_retention_hours: expected 1 to less than retention_hours, 168, got")
