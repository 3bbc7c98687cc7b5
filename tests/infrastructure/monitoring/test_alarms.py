"""The alarms: named by stage and pipeline, with a recipient, a duration, and emitted metrics only."""

import pytest

from cdk import names
from functions.core.names import consumer_group, dead_letter_queue
from functions.pipelines.logins import PIPELINE
from tests.infrastructure.conftest import Templates
from tests.infrastructure.monitoring.watched import Watched, alarms, by_alarm, exists

OF_PIPELINE = {
    "lag-growing", "no-progress", "record-age", "rejects", "lethal", "flood", "stopped", "gaps", "ledger-conflicts",
    "function-errors", "function-throttles", "function-duration", "table-throttles",
}  # fmt: skip
TABLE = "AWS::DynamoDB::GlobalTable"
OF_QUEUE = {"dead-letter-queue-age", "dead-letter-queue-depth"}
OF_CLUSTER = {"kafka-disk", "kafka-offline-partitions", "kafka-under-min-isr"}


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_alarms_use_only_emitted_metrics(templates: Templates, stage: str) -> None:
    watched = [(name, each) for name, alarm in alarms(templates, stage).items() for each in by_alarm(alarm)]
    assert {name for name, _ in watched} == set(alarms(templates, stage))
    assert [each for each in watched if not exists(each[1], stage)] == []


def test_a_metric_that_is_not_emitted_is_detected() -> None:
    own = {"stage": "prod", "pipeline": "logins", "runtime": "msk"}
    assert exists(Watched("Tandem", "records_total", frozenset(own), own), "prod")
    assert not exists(Watched("Tandem", "records", frozenset(own), own), "prod")
    assert not exists(Watched("Tandem", "rejects_total", frozenset(own), own), "prod")
    assert not exists(Watched("Tandem", "lag_records", frozenset({*own, "partition"}), own), "prod")
    assert not exists(Watched("Tandem", "records_total", frozenset(own), own), "dev")
    assert not exists(Watched("AWS/Kafka", "SumOffsetLag", frozenset({"Cluster Name"}), {}), "prod")


def test_the_alarms_of_each_kind_of_cluster(templates: Templates, ops: Templates) -> None:
    everything = OF_PIPELINE | OF_QUEUE | OF_CLUSTER
    assert set(alarms(templates, "dev")) == set(alarms(templates, "prod")) == everything
    assert set(alarms(ops, "ops")) == OF_PIPELINE | OF_QUEUE


def test_names_begin_with_the_stage_and_the_pipeline(templates: Templates) -> None:
    alarm_names = {
        each["Properties"]["AlarmName"]
        for each in templates.resources("prod", "monitoring", "AWS::CloudWatch::Alarm").values()
    }
    assert alarm_names == {f"tandem-prod-logins-{name}" for name in OF_PIPELINE} | {
        f"tandem-prod-{name}" for name in OF_QUEUE | OF_CLUSTER
    }


def test_every_alarm_notifies_when_it_begins_and_when_it_ends(templates: Templates) -> None:
    (topic,) = templates.resources("prod", "monitoring", "AWS::SNS::Topic")
    for alarm in alarms(templates, "prod").values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]


def test_missing_data_raises_no_alarm(templates: Templates) -> None:
    assert {alarm["TreatMissingData"] for alarm in alarms(templates, "prod").values()} == {"notBreaching"}


def test_a_condition_that_recovers_within_minutes_raises_no_alarm(templates: Templates) -> None:
    """Only a metric that is counted once, or that already contains a delay, raises an alarm immediately."""
    at_once = {name for name, alarm in alarms(templates, "prod").items() if alarm["DatapointsToAlarm"] == 1}
    assert at_once == {"rejects", "lethal", "flood", "gaps"} | OF_QUEUE


def test_the_lag_is_that_of_the_consumer_group(templates: Templates) -> None:
    for name in ("lag-growing", "no-progress"):
        (lag,) = [each for each in by_alarm(alarms(templates, "prod")[name]) if each.namespace == "AWS/Kafka"]
        assert lag.values == {
            "Cluster Name": names.kafka_cluster("prod", "standard"),
            "Consumer Group": consumer_group("prod", "logins"),
            "Topic": PIPELINE.topic,
        }


def test_the_queue_is_that_of_the_dead_letters(templates: Templates) -> None:
    for name in OF_QUEUE:
        (queue,) = by_alarm(alarms(templates, "prod")[name])
        assert queue.values == {"QueueName": dead_letter_queue("prod")}


def test_the_duration_is_near_the_functions_time_out(templates: Templates) -> None:
    function = templates.one("prod", "lambda", "AWS::Lambda::Function")
    assert alarms(templates, "prod")["function-duration"]["Threshold"] == function["Timeout"] * 1000 * 0.8


def test_every_table_that_the_pipeline_writes_is_watched(templates: Templates) -> None:
    written = {one["Properties"]["TableName"] for one in templates.resources("prod", "stores", TABLE).values()}
    watched = list(by_alarm(alarms(templates, "prod")["table-throttles"]))
    assert {each.values["TableName"] for each in watched if each.namespace == "AWS/DynamoDB"} == written
