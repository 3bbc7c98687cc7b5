"""Kafka: durable whichever kind the stage asks for; topics as declared; brokers found without a look-up."""

from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cdk.config import StageConfig
from cdk.errors import InvalidConfig
from cdk.kafka import topics
from cdk.stacks.kafka import Kafka
from cdk.stacks.network import Network
from functions.core.pipeline import AnyPipeline
from functions.core.sinks import Topic
from functions.core.topic_config import TopicConfig
from functions.pipelines.logins import PIPELINE
from tests.infrastructure.conftest import ALTERNATIVES, CONTEXT, UNCHECKED, Templates

CLUSTER, INGRESS = "AWS::MSK::Cluster", "AWS::EC2::SecurityGroupIngress"


def cluster(templates: Templates, stage: str) -> dict[str, Any]:
    return templates.one(stage, "kafka", CLUSTER)


def test_standard_brokers_lose_no_record(templates: Templates) -> None:
    properties = templates.one("prod", "kafka", "AWS::MSK::Configuration")["ServerProperties"]
    told = dict(line.split("=") for line in properties.split("\n"))
    assert told["default.replication.factor"] == "3"
    assert told["min.insync.replicas"] == "2"
    assert told["unclean.leader.election.enable"] == "false"
    assert told["auto.create.topics.enable"] == "false"
    assert told["replica.selector.class"] == "org.apache.kafka.common.replica.RackAwareReplicaSelector"
    assert cluster(templates, "prod")["ConfigurationInfo"] == {
        "Arn": {"Fn::GetAtt": ["Configuration", "Arn"]},
        "Revision": {"Fn::GetAtt": ["Configuration", "LatestRevision.Revision"]},
    }


@pytest.mark.parametrize(("stage", "brokers"), [("dev", 3), ("prod", 3), ("iam", 6), ("express", 3)])
def test_brokers_stand_in_three_zones(templates: Templates, alternatives: Templates, stage: str, brokers: int) -> None:
    found = cluster(templates if stage in {"dev", "prod"} else alternatives, stage)
    assert found["NumberOfBrokerNodes"] == brokers
    assert len(found["BrokerNodeGroupInfo"]["ClientSubnets"]) == 3


@pytest.mark.parametrize("stage", ["prod", "iam", "express"])
def test_encrypted_authenticated_logged_and_monitored(
    templates: Templates, alternatives: Templates, stage: str
) -> None:
    found = cluster(templates if stage == "prod" else alternatives, stage)
    scram = stage == "prod"
    assert found["EncryptionInfo"]["EncryptionInTransit"] == {"ClientBroker": "TLS", "InCluster": True}
    assert "keys" in found["EncryptionInfo"]["EncryptionAtRest"]["DataVolumeKMSKeyId"]["Fn::ImportValue"]
    assert found["ClientAuthentication"] == {
        "Sasl": {"Iam": {"Enabled": not scram}, "Scram": {"Enabled": scram}},
        "Unauthenticated": {"Enabled": False},
    }
    assert found["LoggingInfo"]["BrokerLogs"]["CloudWatchLogs"]["Enabled"] is True
    exporters = found["OpenMonitoring"]["Prometheus"].values()
    assert [each["EnabledInBroker"] for each in exporters] == [True, True]


def test_standard_brokers_tell_of_partitions_under_their_minimum(templates: Templates) -> None:
    assert cluster(templates, "prod")["EnhancedMonitoring"] == "PER_BROKER"


def test_storage_grows_by_itself(templates: Templates) -> None:
    assert cluster(templates, "prod")["BrokerNodeGroupInfo"]["StorageInfo"] == {"EBSStorageInfo": {"VolumeSize": 250}}
    target = templates.one("prod", "kafka", "AWS::ApplicationAutoScaling::ScalableTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (250, 4000)
    assert target["ScalableDimension"] == "kafka:broker-storage:VolumeSize"
    policy = templates.one("prod", "kafka", "AWS::ApplicationAutoScaling::ScalingPolicy")
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["DisableScaleIn"] is True
    assert tracking["PredefinedMetricSpecification"]["PredefinedMetricType"] == "KafkaBrokerStorageUtilization"


def test_express_brokers_are_told_nothing_that_they_refuse(alternatives: Templates) -> None:
    assert "StorageInfo" not in cluster(alternatives, "express")["BrokerNodeGroupInfo"]
    assert "ConfigurationInfo" not in cluster(alternatives, "express")
    assert not alternatives.resources("express", "kafka", "AWS::MSK::Configuration")
    assert not alternatives.resources("express", "kafka", "AWS::ApplicationAutoScaling::ScalableTarget")
    for topic in alternatives.resources("express", "kafka", "AWS::MSK::Topic").values():
        assert b64decode(topic["Properties"]["Configs"]) == b"retention.ms=604800000"


def test_serverless_has_iam_and_no_topics_of_ours(alternatives: Templates) -> None:
    found = alternatives.one("burst", "kafka", "AWS::MSK::ServerlessCluster")
    assert found["ClientAuthentication"] == {"Sasl": {"Iam": {"Enabled": True}}}
    assert len(found["VpcConfigs"][0]["SubnetIds"]) == 3
    assert not alternatives.resources("burst", "kafka", "AWS::MSK::Topic")


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_topics_as_declared(templates: Templates, stage: str) -> None:
    found = templates.resources(stage, "kafka", "AWS::MSK::Topic").values()
    made = {each["Properties"]["TopicName"]: each for each in found}
    declared = topics.declared([PIPELINE])
    assert made.keys() == declared.keys() == {"user-login", "processed-user-login"}
    for name, config in declared.items():
        properties = made[name]["Properties"]
        assert properties["PartitionCount"] == config.partitions
        assert properties["ReplicationFactor"] == 3
        lines = b64decode(properties["Configs"]).decode().split("\n")
        assert lines == [f"retention.ms={config.retention_hours * 3_600_000}", "min.insync.replicas=2"]
        assert made[name]["DeletionPolicy"] == "RetainExceptOnCreate"


def pipelines(source: TopicConfig, sink: TopicConfig) -> Sequence[AnyPipeline]:
    """Of the second one the first one's output is the source."""
    first = replace(PIPELINE, sinks=(Topic("processed-user-login", key="user_id", config=sink),))
    return first, replace(
        PIPELINE, name="second", topic="processed-user-login", topic_config=source, sinks=PIPELINE.sinks[:1]
    )


def test_one_topic_has_one_layout() -> None:
    few, many = TopicConfig(partitions=6), TopicConfig(partitions=24)
    assert topics.declared(pipelines(few, few))["processed-user-login"] == few
    with pytest.raises(InvalidConfig) as raised:
        topics.declared(pipelines(few, many))
    for said in ("topic 'processed-user-login'", "'logins' sink", "pipeline 'second'", "partitions=6", "partitions=24"):
        assert said in str(raised.value)


@pytest.mark.parametrize(("stage", "port"), [("dev", 9098), ("prod", 9096)])
def test_who_may_reach_the_brokers(templates: Templates, stage: str, port: int) -> None:
    rules = templates.resources(stage, "kafka", INGRESS)
    clients, pollers = rules["ClientsToBrokers"]["Properties"], rules["PollersToBrokers"]["Properties"]
    assert "Clients" in clients["SourceSecurityGroupId"]["Fn::ImportValue"]
    assert pollers["SourceSecurityGroupId"] == pollers["GroupId"] == clients["GroupId"]
    assert {clients["FromPort"], clients["ToPort"], pollers["FromPort"], pollers["ToPort"]} == {port}
    out = templates.resources(stage, "kafka", "AWS::EC2::SecurityGroupEgress")
    assert {rule["Properties"]["FromPort"] for rule in out.values()} == {port}
    assert out.keys() == {"ClientsOut", "PollersOut"}


def test_the_scram_user_lies_under_the_stages_key(templates: Templates) -> None:
    secret = templates.one("prod", "kafka", "AWS::SecretsManager::Secret")
    assert secret["Name"] == "AmazonMSK_tandem_prod"
    assert "keys" in secret["KmsKeyId"]["Fn::ImportValue"]
    assert secret["GenerateSecretString"]["SecretStringTemplate"] == '{"username": "tandem"}'
    assert secret["GenerateSecretString"]["GenerateStringKey"] == "password"
    known = templates.one("prod", "kafka", "AWS::MSK::BatchScramSecret")
    assert len(known["SecretArnList"]) == 1
    assert not templates.resources("dev", "kafka", "AWS::SecretsManager::Secret")


@pytest.mark.parametrize(("stage", "answer"), [("dev", "SaslIam"), ("prod", "SaslScram")])
def test_brokers_are_asked_for_with_exactly_that_right(templates: Templates, stage: str, answer: str) -> None:
    asked = templates.one(stage, "kafka", "Custom::BootstrapServers")
    call = "".join(part for part in asked["Create"]["Fn::Join"][1] if isinstance(part, str))
    assert f'"outputPaths":["BootstrapBrokerString{answer}"]' in call
    policies = templates.resources(stage, "kafka", "AWS::IAM::Policy").values()
    statements = [each["Properties"]["PolicyDocument"]["Statement"] for each in policies]
    (right,) = [each for (each,) in statements if each["Action"] == "kafka:GetBootstrapBrokers"]
    assert right["Resource"] == {"Fn::GetAtt": ["Cluster", "Arn"]}
    assert all(each["Resource"] != "*" for (each,) in statements)
    told = templates.parameters(stage, "kafka")[f"/tandem/{stage}/bootstrap-servers"]
    assert told["Fn::GetAtt"][1] == f"BootstrapBrokerString{answer}"


def test_topics_that_somebody_has_to_make_are_told(templates: Templates, alternatives: Templates) -> None:
    for stage in ("burst", "given"):
        told = alternatives[stage, "kafka"]["Outputs"]["TopicsToMake"]["Value"]
        assert "user-login partitions=12 retention.ms=604800000 min.insync.replicas=2" in told.split("; ")
    assert "TopicsToMake" not in templates["prod", "kafka"].get("Outputs", {})


def test_another_stack_is_let_in_by_rules_of_its_own(tmp_path: Path) -> None:
    from aws_cdk import App, Stack, assertions  # noqa: PLC0415 - importing it starts Node

    from cdk.stage import TandemStage  # noqa: PLC0415

    config = StageConfig.model_validate(ALTERNATIVES["iam"] | {"name": "iam"})
    stage = TandemStage(App(outdir=str(tmp_path), context=CONTEXT | UNCHECKED), config, [PIPELINE])
    kafka, network = stage.node.find_child("Kafka"), stage.node.find_child("Network")
    assert isinstance(kafka, Kafka)
    assert isinstance(network, Network)
    guest = Stack(stage, "Guest")
    kafka.admit(guest, "Guest", "sg-0123abcd")
    network.admit(guest, "GuestToEndpoints", "sg-0123abcd")
    rules = assertions.Template.from_stack(guest).find_resources(INGRESS)
    assert {name: rule["Properties"]["FromPort"] for name, rule in rules.items()} == {
        "GuestToBrokers": 9098,
        "GuestToJmxExporter": 11001,
        "GuestToNodeExporter": 11002,
        "GuestToEndpoints": 443,
    }
    assert {rule["Properties"]["SourceSecurityGroupId"] for rule in rules.values()} == {"sg-0123abcd"}


def test_a_given_cluster_is_left_as_it_is(alternatives: Templates) -> None:
    made = [each["Type"] for each in alternatives["given", "kafka"]["Resources"].values()]
    assert set(made) == {INGRESS, "AWS::EC2::SecurityGroupEgress", "AWS::SSM::Parameter"}
    admitted = alternatives.one("given", "kafka", INGRESS)
    assert (admitted["GroupId"], admitted["FromPort"]) == ("sg-0b0c0d0e", 9096)
    parameters = alternatives.parameters("given", "kafka")
    assert parameters["/tandem/given/bootstrap-servers"] == "b-1.shared:9096,b-2.shared:9096"
    assert parameters["/tandem/given/kafka-port"] == "9096"


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_brokers_version_can_be_raised(templates: Templates, stage: str) -> None:
    """CloudFormation replaces a configuration for another list of versions, and its name is taken."""
    assert "KafkaVersionsList" not in templates.one(stage, "kafka", "AWS::MSK::Configuration")


def test_a_protected_stage_keeps_its_cluster(templates: Templates, alternatives: Templates) -> None:
    for kind in (CLUSTER, "AWS::MSK::Configuration", "AWS::SecretsManager::Secret"):
        (kept,) = templates.resources("prod", "kafka", kind).values()
        assert kept["DeletionPolicy"] == "RetainExceptOnCreate"
    (gone,) = alternatives.resources("iam", "kafka", CLUSTER).values()
    assert gone["DeletionPolicy"] == "Delete"


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_others_find_it_in_parameters(templates: Templates, stage: str) -> None:
    names = {"cluster-arn", "bootstrap-servers", "kafka-port", "brokers-security-group-id"}
    assert templates.parameters(stage, "kafka").keys() == {f"/tandem/{stage}/{name}" for name in names}
