"""The template of the Lambda stack."""

from typing import Any

import pytest

from cdk import context
from cdk.runtimes.msk.event_source import POSITIONS
from functions import settings
from functions.core.pipeline import Start
from functions.pipelines.logins import PIPELINE
from tests.infrastructure.conftest import CONTEXT, PLACE, Templates, synthesise
from tests.infrastructure.resolve import Resolved

STAGES = pytest.mark.parametrize("stage", ["dev", "prod"])


@STAGES
def test_the_function_has_the_stages_settings(templates: Templates, stage: str) -> None:
    function = Resolved(templates, stage).function
    run = context.read(CONTEXT["stages"], ["logins"])[stage].pipeline_config("logins")
    assert function["FunctionName"] == f"tandem-{stage}-logins"
    assert (function["Runtime"], function["Architectures"]) == ("python3.13", ["arm64"])
    assert function["Handler"] == "functions.runtimes.msk.handler.handler"
    assert (function["MemorySize"], function["Timeout"]) == (run.memory_mib, run.timeout_seconds)
    assert function.get("ReservedConcurrentExecutions") == run.concurrency
    assert function["TracingConfig"] == {"Mode": "Active"}
    assert function["LoggingConfig"]["LogFormat"] == "JSON"


@STAGES
def test_the_function_is_in_private_subnets_with_the_clients_group(templates: Templates, stage: str) -> None:
    place = templates.one(stage, "lambda", "AWS::Lambda::Function")["VpcConfig"]
    assert len(place["SubnetIds"]) == 3
    assert all("rivate" in str(subnet) for subnet in place["SubnetIds"])
    assert ["Clients" in str(group) for group in place["SecurityGroupIds"]] == [True]


@STAGES
def test_the_mapping_invokes_a_snap_start_version_by_the_live_alias(templates: Templates, stage: str) -> None:
    function = templates.one(stage, "lambda", "AWS::Lambda::Function")
    (alias_id,) = templates.resources(stage, "lambda", "AWS::Lambda::Alias")
    alias = templates.one(stage, "lambda", "AWS::Lambda::Alias")
    (version_id,) = templates.resources(stage, "lambda", "AWS::Lambda::Version")
    assert function["SnapStart"] == {"ApplyOn": "PublishedVersions"}
    version = templates[stage, "lambda"]["Resources"][version_id]
    assert (version["DeletionPolicy"], version["UpdateReplacePolicy"]) == ("Retain", "Retain")  # to roll back to it
    assert (alias["Name"], alias["FunctionVersion"]) == ("live", {"Fn::GetAtt": [version_id, "Version"]})
    mapping = templates.one(stage, "lambda", "AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionName"] == {"Ref": alias_id}


@STAGES
def test_variables_and_logs_are_encrypted_and_logs_expire(templates: Templates, stage: str) -> None:
    resolved = Resolved(templates, stage)
    (log,) = resolved.properties("lambda", "AWS::Logs::LogGroup")
    assert resolved.function["KmsKeyArn"] == log["KmsKeyId"]
    assert ":key/" in log["KmsKeyId"]
    assert log["RetentionInDays"] == CONTEXT["stages"][stage].get("log_days", 30)
    assert resolved.function["LoggingConfig"]["LogGroup"] == log["LogGroupName"] == f"/aws/lambda/tandem-{stage}-logins"


@STAGES
def test_the_variables_are_those_of_settings(templates: Templates, stage: str) -> None:
    given = Resolved(templates, stage).function["Environment"]["Variables"]
    known = {f"TANDEM_{field.upper()}" for field in settings.Settings.model_fields}
    assert set(given) <= known
    # Only AWS knows the brokers' addresses.
    read = settings.read(given | {"TANDEM_BOOTSTRAP_SERVERS": "broker:9098", "AWS_REGION": "us-east-1"})
    assert (read.stage, read.pipeline, read.kafka_auth) == (stage, "logins", "iam")


@STAGES
def test_texts_are_limited_where_the_stage_has_a_warehouse(templates: Templates, stage: str) -> None:
    given = Resolved(templates, stage).function["Environment"]["Variables"]
    expected = "65535" if "redshift" in CONTEXT["stages"][stage] else None
    assert given.get("TANDEM_MAX_TEXT_BYTES") == expected


def test_one_of_the_stages_has_a_warehouse() -> None:
    assert {"redshift" in chosen for chosen in CONTEXT["stages"].values()} == {True, False}


@STAGES
def test_the_mapping_reads_the_declared_topic_in_the_common_group(templates: Templates, stage: str) -> None:
    mapping = Resolved(templates, stage).mapping
    assert mapping["Topics"] == ["user-login"]
    assert mapping["AmazonManagedKafkaEventSourceConfig"] == {"ConsumerGroupId": f"{stage}-logins"}
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (5000, 1)
    assert mapping["EventSourceArn"].startswith("arn:aws:kafka:us-east-1:")


@STAGES
def test_discarded_batches_go_to_the_dead_letter_bucket(templates: Templates, stage: str) -> None:
    mapping = Resolved(templates, stage).mapping
    bucket = f"arn:aws:s3:::tandem-{stage}-dead-letters-123456789012-us-east-1"
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": bucket}}


@STAGES
def test_no_mapping_has_filters_or_partial_responses(templates: Templates, stage: str) -> None:
    assert not {"FilterCriteria", "FunctionResponseTypes"} & set(Resolved(templates, stage).mapping)


def test_the_mapping_uses_the_stages_authentication(every: Templates) -> None:
    assert "SourceAccessConfigurations" not in Resolved(every, "prod").mapping
    scram = Resolved(every, "scram")
    (access,) = scram.mapping["SourceAccessConfigurations"]
    assert access == {
        "Type": "SASL_SCRAM_512_AUTH",
        "URI": scram.function["Environment"]["Variables"]["TANDEM_SCRAM_FROM"],
    }


def test_provisioned_mode_has_pollers_metrics_logs_and_retries(templates: Templates) -> None:
    mapping = Resolved(templates, "prod").mapping
    assert mapping["ProvisionedPollerConfig"] == {"MinimumPollers": 1, "MaximumPollers": 10}
    assert mapping["MetricsConfig"] == {"Metrics": ["EventCount", "ErrorCount", "KafkaMetrics"]}
    assert mapping["LoggingConfig"] == {"SystemLogLevel": "INFO"}
    assert mapping["MaximumRetryAttempts"] == 100


def test_on_demand_has_no_property_of_provisioned_mode(templates: Templates) -> None:
    provisioned = {"ProvisionedPollerConfig", "MetricsConfig", "LoggingConfig"}
    provisioned |= {"MaximumRetryAttempts", "MaximumRecordAgeInSeconds"}
    assert not provisioned & set(Resolved(templates, "dev").mapping)


def test_mappings_can_share_pollers_and_give_up_by_age(tmp_path_factory: pytest.TempPathFactory) -> None:
    run: dict[str, Any] = {"pollers": {"group": "shared"}, "record_age_seconds": 3600, "log_level": "ERROR"}
    made = synthesise(tmp_path_factory.mktemp("shared"), {"dev": PLACE | {"pipelines": {"logins": run}}})
    function, mapping = Resolved(made, "dev").function, Resolved(made, "dev").mapping
    assert function["Environment"]["Variables"]["TANDEM_LOG_LEVEL"] == "ERROR"
    assert function["LoggingConfig"]["ApplicationLogLevel"] == "INFO"  # above it Lambda would drop the metrics
    assert mapping["ProvisionedPollerConfig"]["PollerGroupName"] == "shared"
    assert mapping["MaximumRecordAgeInSeconds"] == 3600
    assert mapping["LoggingConfig"] == {"SystemLogLevel": "WARN"}


def test_every_start_of_a_pipeline_is_a_position_of_the_mapping() -> None:
    assert set(POSITIONS) == set(Start)
    assert PIPELINE.start is Start.EARLIEST
