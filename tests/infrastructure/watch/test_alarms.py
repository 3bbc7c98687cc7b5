"""The alarms: named by stage and pipeline, told to somebody, patient, and only of what is emitted."""

import pytest

from functions.core import names
from functions.pipelines.logins import PIPELINE
from tests.infrastructure.conftest import Templates
from tests.infrastructure.watch.watched import Watched, alarms, by_alarm, exists

OF_PIPELINE = {
    "lag-growing", "no-progress", "record-age", "rejects", "flood", "stopped", "gaps", "ledger-conflicts",
    "function-errors", "function-throttles",
}  # fmt: skip
OF_QUEUE = {"dead-letter-queue-age", "dead-letter-queue-depth"}
OF_CLUSTER = {"kafka-disk", "kafka-offline-partitions", "kafka-under-min-isr"}


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_alarms_look_only_at_metrics_that_are_emitted(templates: Templates, stage: str) -> None:
    watched = [(name, each) for name, alarm in alarms(templates, stage).items() for each in by_alarm(alarm)]
    assert {name for name, _ in watched} == set(alarms(templates, stage))
    assert [each for each in watched if not exists(each[1], stage)] == []


def test_what_is_not_emitted_is_found_out() -> None:
    own = {"stage": "prod", "pipeline": "logins", "runtime": "msk"}
    assert exists(Watched("Tandem", "records_total", frozenset(own), own), "prod")
    assert not exists(Watched("Tandem", "records", frozenset(own), own), "prod")
    assert not exists(Watched("Tandem", "rejects_total", frozenset(own), own), "prod")
    assert not exists(Watched("Tandem", "lag_records", frozenset({*own, "partition"}), own), "prod")
    assert not exists(Watched("Tandem", "records_total", frozenset(own), own), "dev")
    assert not exists(Watched("AWS/Kafka", "SumOffsetLag", frozenset({"Cluster Name"}), {}), "prod")


def test_the_alarms_of_each_kind_of_cluster(templates: Templates, ops: Templates) -> None:
    assert set(alarms(templates, "prod")) == OF_PIPELINE | OF_QUEUE | OF_CLUSTER
    assert set(alarms(templates, "dev")) == set(alarms(ops, "ops")) == OF_PIPELINE | OF_QUEUE


def test_names_begin_with_the_stage_and_the_pipeline(templates: Templates) -> None:
    told = {
        each["Properties"]["AlarmName"]
        for each in templates.resources("prod", "watch", "AWS::CloudWatch::Alarm").values()
    }
    assert told == {f"tandem-prod-logins-{name}" for name in OF_PIPELINE} | {
        f"tandem-prod-{name}" for name in OF_QUEUE | OF_CLUSTER
    }


def test_every_alarm_is_told_when_it_begins_and_when_it_ends(templates: Templates) -> None:
    (topic,) = templates.resources("prod", "watch", "AWS::SNS::Topic")
    for alarm in alarms(templates, "prod").values():
        assert alarm["AlarmActions"] == alarm["OKActions"] == [{"Ref": topic}]


def test_no_data_is_no_alarm_because_a_runtime_that_rests_is_silent(templates: Templates) -> None:
    assert {alarm["TreatMissingData"] for alarm in alarms(templates, "prod").values()} == {"notBreaching"}


def test_what_mends_itself_within_minutes_does_not_alarm(templates: Templates) -> None:
    """Only what is said once, or was already waited for, alarms at once."""
    at_once = {name for name, alarm in alarms(templates, "prod").items() if alarm["DatapointsToAlarm"] == 1}
    assert at_once == {"rejects", "flood", "gaps"} | OF_QUEUE


def test_the_lag_is_that_of_the_consumer_group_whichever_runtime_is_in_it(templates: Templates) -> None:
    for name in ("lag-growing", "no-progress"):
        (lag,) = [each for each in by_alarm(alarms(templates, "prod")[name]) if each.namespace == "AWS/Kafka"]
        assert lag.values == {
            "Cluster Name": names.cluster("prod"),
            "Consumer Group": names.group("prod", "logins"),
            "Topic": PIPELINE.topic,
        }


def test_the_queue_is_that_of_the_announced_dead_letters(templates: Templates) -> None:
    for name in OF_QUEUE:
        (queue,) = by_alarm(alarms(templates, "prod")[name])
        assert queue.values == {"QueueName": names.dead_letter_queue("prod")}
