"""Kafka: durability of every kind of cluster, declared topics, and bootstrap servers without a look-up."""

import json
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cdk.config import StageConfig
from cdk.errors import InvalidConfig
from cdk.kafka import topics
from cdk.kafka.brokers import SERVER_PROPERTIES
from cdk.kafka.stack import KafkaStack
from cdk.network.stack import NetworkStack
from functions.core.acls import required
from functions.core.names import admin_user, kafka_user, scaler_user
from functions.core.pipeline import AnyPipeline
from functions.core.sinks import Topic
from functions.core.topic_config import TopicConfig
from functions.pipelines.logins import PIPELINE
from tests.infrastructure.conftest import ALTERNATIVES, CONTEXT, PLACE, UNCHECKED, Templates, synthesise

WITHOUT_ACL = "allow.everyone.if.no.acl.found"
CLUSTER, INGRESS = "AWS::MSK::Cluster", "AWS::EC2::SecurityGroupIngress"


def cluster(templates: Templates, stage: str) -> dict[str, Any]:
    return templates.one(stage, "kafka", CLUSTER)


def test_standard_brokers_lose_no_record(templates: Templates) -> None:
    properties = templates.one("prod", "kafka", "AWS::MSK::Configuration")["ServerProperties"]
    settings = dict(line.split("=") for line in properties.split("\n"))
    assert settings["default.replication.factor"] == "3"
    assert settings["min.insync.replicas"] == "2"
    assert settings["unclean.leader.election.enable"] == "false"
    assert settings["auto.create.topics.enable"] == "false"
    assert settings["replica.selector.class"] == "org.apache.kafka.common.replica.RackAwareReplicaSelector"
    assert cluster(templates, "prod")["ConfigurationInfo"] == {
        "Arn": {"Fn::GetAtt": ["Configuration", "Arn"]},
        "Revision": {"Fn::GetAtt": ["Configuration", "LatestRevision.Revision"]},
    }


@pytest.mark.parametrize(("stage", "brokers"), [("dev", 3), ("prod", 3), ("iam", 6), ("express", 3)])
def test_brokers_are_in_three_zones(templates: Templates, alternatives: Templates, stage: str, brokers: int) -> None:
    found = cluster(templates if stage in {"dev", "prod"} else alternatives, stage)
    assert found["NumberOfBrokerNodes"] == brokers
    assert len(found["BrokerNodeGroupInfo"]["ClientSubnets"]) == 3


@pytest.mark.parametrize("stage", ["prod", "iam", "scram", "express"])
def test_encrypted_authenticated_logged_and_monitored(every: Templates, stage: str) -> None:
    found = cluster(every, stage)
    scram = stage == "scram"
    assert found["EncryptionInfo"]["EncryptionInTransit"] == {"ClientBroker": "TLS", "InCluster": True}
    assert "keys" in found["EncryptionInfo"]["EncryptionAtRest"]["DataVolumeKMSKeyId"]["Fn::ImportValue"]
    assert found["ClientAuthentication"] == {
        "Sasl": {"Iam": {"Enabled": not scram}, "Scram": {"Enabled": scram}},
        "Unauthenticated": {"Enabled": False},
    }
    assert found["LoggingInfo"]["BrokerLogs"]["CloudWatchLogs"]["Enabled"] is True
    exporters = found["OpenMonitoring"]["Prometheus"].values()
    assert [each["EnabledInBroker"] for each in exporters] == [True, True]


def test_standard_brokers_report_partitions_below_the_minimum(templates: Templates) -> None:
    assert cluster(templates, "prod")["EnhancedMonitoring"] == "PER_BROKER"


def test_storage_grows_automatically(templates: Templates) -> None:
    assert cluster(templates, "prod")["BrokerNodeGroupInfo"]["StorageInfo"] == {"EBSStorageInfo": {"VolumeSize": 250}}
    target = templates.one("prod", "kafka", "AWS::ApplicationAutoScaling::ScalableTarget")
    assert (target["MinCapacity"], target["MaxCapacity"]) == (250, 4000)
    assert target["ScalableDimension"] == "kafka:broker-storage:VolumeSize"
    policy = templates.one("prod", "kafka", "AWS::ApplicationAutoScaling::ScalingPolicy")
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["DisableScaleIn"] is True
    assert tracking["PredefinedMetricSpecification"]["PredefinedMetricType"] == "KafkaBrokerStorageUtilization"


def test_express_brokers_have_no_unsupported_settings(alternatives: Templates) -> None:
    assert "StorageInfo" not in cluster(alternatives, "express")["BrokerNodeGroupInfo"]
    assert "ConfigurationInfo" not in cluster(alternatives, "express")
    assert not alternatives.resources("express", "kafka", "AWS::MSK::Configuration")
    assert not alternatives.resources("express", "kafka", "AWS::ApplicationAutoScaling::ScalableTarget")
    for topic in alternatives.resources("express", "kafka", "AWS::MSK::Topic").values():
        assert configs(topic) == {"retention.ms": "604800000"}


def test_serverless_has_iam_and_no_topic_resources(alternatives: Templates) -> None:
    found = alternatives.one("burst", "kafka", "AWS::MSK::ServerlessCluster")
    assert found["ClientAuthentication"] == {"Sasl": {"Iam": {"Enabled": True}}}
    assert len(found["VpcConfigs"][0]["SubnetIds"]) == 3
    assert not alternatives.resources("burst", "kafka", "AWS::MSK::Topic")


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_topics_have_their_declared_configuration(templates: Templates, stage: str) -> None:
    found = templates.resources(stage, "kafka", "AWS::MSK::Topic").values()
    made = {each["Properties"]["TopicName"]: each for each in found}
    declared = topics.declared([PIPELINE])
    assert made.keys() == declared.keys() == {"user-login", "processed-user-login"}
    for name, config in declared.items():
        properties = made[name]["Properties"]
        assert properties["PartitionCount"] == config.partitions
        assert properties["ReplicationFactor"] == 3
        assert configs(made[name]) == {
            "retention.ms": str(config.retention_hours * 3_600_000), "min.insync.replicas": "2",
        }  # fmt: skip
        assert made[name]["DeletionPolicy"] == "RetainExceptOnCreate"


def configs(topic: dict[str, Any]) -> dict[str, str]:
    """A topic's settings as MSK's topic API reads them: Base64 of a JSON object whose values are strings."""
    settings = json.loads(b64decode(topic["Properties"]["Configs"], validate=True))
    assert isinstance(settings, dict)
    assert all(isinstance(value, str) for value in settings.values())
    return settings


@pytest.mark.parametrize("stage", ["prod", "scram"])
def test_topics_are_made_one_after_another_on_an_active_cluster(every: Templates, stage: str) -> None:
    """MSK refuses to change a cluster that is not ACTIVE, and associating a SCRAM user is a change, too."""
    topic_ids = list(every.resources(stage, "kafka", "AWS::MSK::Topic"))
    (cluster_id,) = every.resources(stage, "kafka", CLUSTER)
    users = set(every.resources(stage, "kafka", "AWS::MSK::BatchScramSecret"))
    assert len(users) == (stage == "scram")
    for number, topic_id in enumerate(topic_ids):
        topic = every[stage, "kafka"]["Resources"][topic_id]
        assert topic["Properties"]["ClusterArn"] == {"Fn::GetAtt": [cluster_id, "Arn"]}
        assert users | set(topic_ids[max(number - 1, 0) : number]) == set(topic.get("DependsOn", []))


def pipelines(source: TopicConfig, sink: TopicConfig) -> Sequence[AnyPipeline]:
    """Two pipelines; the second one reads the first one's output."""
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


@pytest.mark.parametrize(("stage", "port"), [("prod", 9098), ("scram", 9096)])
def test_only_named_groups_reach_the_brokers(every: Templates, stage: str, port: int) -> None:
    rules = every.resources(stage, "kafka", INGRESS)
    clients, pollers = rules["ClientsToBrokers"]["Properties"], rules["PollersToBrokers"]["Properties"]
    assert "Clients" in clients["SourceSecurityGroupId"]["Fn::ImportValue"]
    assert pollers["SourceSecurityGroupId"] == pollers["GroupId"] == clients["GroupId"]
    assert {clients["FromPort"], clients["ToPort"], pollers["FromPort"], pollers["ToPort"]} == {port}
    out = every.resources(stage, "kafka", "AWS::EC2::SecurityGroupEgress")
    assert {rule["Properties"]["FromPort"] for rule in out.values()} == {port}
    assert out.keys() == {"ClientsOut", "PollersOut"}


def test_each_pipeline_operators_and_keda_have_a_user_that_the_stages_key_encrypts(every: Templates) -> None:
    users = {kafka_user("scram", "logins"), admin_user("scram"), scaler_user("scram")}
    assert {acl.user for acl in required("scram", [PIPELINE])} == users
    secrets = every.resources("scram", "kafka", "AWS::SecretsManager::Secret")
    named = {}
    for logical_id, resource in secrets.items():
        secret = resource["Properties"]
        assert "keys" in secret["KmsKeyId"]["Fn::ImportValue"]
        assert secret["GenerateSecretString"]["GenerateStringKey"] == "password"
        named[secret["Name"]] = json.loads(secret["GenerateSecretString"]["SecretStringTemplate"])
        assert {"Ref": logical_id} in every.one("scram", "kafka", "AWS::MSK::BatchScramSecret")["SecretArnList"]
    assert named == {f"AmazonMSK_{user}": {"username": user} for user in users}
    assert not every.resources("prod", "kafka", "AWS::SecretsManager::Secret")


@pytest.mark.parametrize(("stage", "answer"), [("prod", "SaslIam"), ("scram", "SaslScram")])
def test_the_bootstrap_call_has_only_its_permission(every: Templates, stage: str, answer: str) -> None:
    resource = every.one(stage, "kafka", "Custom::BootstrapServers")
    call = "".join(part for part in resource["Create"]["Fn::Join"][1] if isinstance(part, str))
    assert f'"outputPaths":["BootstrapBrokerString{answer}"]' in call
    policies = every.resources(stage, "kafka", "AWS::IAM::Policy").values()
    statements = [each["Properties"]["PolicyDocument"]["Statement"] for each in policies]
    (right,) = [each for (each,) in statements if each["Action"] == "kafka:GetBootstrapBrokers"]
    assert right["Resource"] == {"Fn::GetAtt": ["Cluster", "Arn"]}
    assert all(each["Resource"] != "*" for (each,) in statements)
    published = every.parameters(stage, "kafka")[f"/tandem/{stage}/bootstrap-servers"]
    assert published["Fn::GetAtt"][1] == f"BootstrapBrokerString{answer}"


def test_topics_that_an_operator_creates_are_outputs(templates: Templates, alternatives: Templates) -> None:
    for stage in ("burst", "given"):
        output = alternatives[stage, "kafka"]["Outputs"]["TopicsToMake"]["Value"]
        assert "user-login partitions=12 retention.ms=604800000 min.insync.replicas=2" in output.split("; ")
    assert "TopicsToMake" not in templates["prod", "kafka"].get("Outputs", {})


def test_another_stack_gets_access_by_its_own_rules(tmp_path: Path) -> None:
    from aws_cdk import App, Stack, assertions  # noqa: PLC0415 - importing it starts Node

    from cdk.stage import TandemStage  # noqa: PLC0415

    config = StageConfig.model_validate(ALTERNATIVES["iam"] | {"name": "iam"})
    stage = TandemStage(App(outdir=str(tmp_path), context=CONTEXT | UNCHECKED), config, [PIPELINE])
    kafka, network = stage.node.find_child("Kafka"), stage.node.find_child("Network")
    assert isinstance(kafka, KafkaStack)
    assert isinstance(network, NetworkStack)
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


def test_an_existing_cluster_is_not_changed(alternatives: Templates) -> None:
    made = [each["Type"] for each in alternatives["given", "kafka"]["Resources"].values()]
    assert set(made) == {INGRESS, "AWS::EC2::SecurityGroupEgress", "AWS::SSM::Parameter"}
    admitted = alternatives.one("given", "kafka", INGRESS)
    assert (admitted["GroupId"], admitted["FromPort"]) == ("sg-0b0c0d0e", 9096)
    parameters = alternatives.parameters("given", "kafka")
    assert parameters["/tandem/given/bootstrap-servers"] == "b-1.shared:9096,b-2.shared:9096"
    assert parameters["/tandem/given/kafka-port"] == "9096"


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_brokers_can_be_upgraded(templates: Templates, stage: str) -> None:
    """With another list of versions CloudFormation replaces the configuration, and its name is in use."""
    assert "KafkaVersionsList" not in templates.one(stage, "kafka", "AWS::MSK::Configuration")


def test_a_protected_stage_retains_its_cluster(every: Templates) -> None:
    for kind in (CLUSTER, "AWS::MSK::Configuration", "AWS::SecretsManager::Secret"):
        kept = every.resources("scram", "kafka", kind).values()
        assert {one["DeletionPolicy"] for one in kept} == {"RetainExceptOnCreate"}
    (gone,) = every.resources("iam", "kafka", CLUSTER).values()
    assert gone["DeletionPolicy"] == "Delete"


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_the_stack_publishes_its_parameters(templates: Templates, stage: str) -> None:
    names = {"cluster-arn", "bootstrap-servers", "kafka-port", "brokers-security-group-id"}
    assert templates.parameters(stage, "kafka").keys() == {f"/tandem/{stage}/{name}" for name in names}


OPEN: dict[str, Any] = PLACE | {"kafka": {"kind": "standard"}, "kafka_auth": "scram", "eks": {"kind": "none"}}
WITH_SCRAM: dict[str, dict[str, Any]] = {
    "open": OPEN,
    "closed": OPEN | {"kafka": {"kind": "standard", "requires_acls": True}},
    "express": OPEN | {"kafka": {"kind": "express", "requires_acls": True}},
}


@pytest.fixture(scope="module")
def with_scram(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Templates]:
    """The assembly and the templates of stages that differ in what a user without an ACL may do."""
    out = tmp_path_factory.mktemp("scram")
    return out, synthesise(out, WITH_SCRAM)


def properties_of(templates: Templates, stage: str) -> dict[str, str]:
    lines = templates.one(stage, "kafka", "AWS::MSK::Configuration")["ServerProperties"].splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_only_a_stage_that_says_so_refuses_users_without_an_acl(with_scram: tuple[Path, Templates]) -> None:
    """The other way round nobody could create the first ACL: tests/integration/test_acls.py."""
    _, templates = with_scram
    found = {stage: properties_of(templates, stage) for stage in WITH_SCRAM}
    assert {stage: each.pop(WITHOUT_ACL) for stage, each in found.items()} == {
        "open": "true", "closed": "false", "express": "false",
    }  # fmt: skip
    assert found == {"open": SERVER_PROPERTIES, "closed": SERVER_PROPERTIES, "express": {}}
    assert templates.one("express", "kafka", CLUSTER)["ConfigurationInfo"]["Arn"] == {
        "Fn::GetAtt": ["Configuration", "Arn"]
    }


def test_with_iam_policies_take_the_place_of_acls(every: Templates) -> None:
    assert WITHOUT_ACL not in properties_of(every, "prod")
    assert not every.resources("express", "kafka", "AWS::MSK::Configuration")


def test_a_cluster_that_requires_no_acls_is_reported(with_scram: tuple[Path, Templates]) -> None:
    out, _ = with_scram
    reported = {
        stage
        for stage in WITH_SCRAM
        for file in (out / f"assembly-{stage}").glob("*.json")
        if "tandem:acls-not-required" in file.read_text()
    }
    assert reported == {"open"}
