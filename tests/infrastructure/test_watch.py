"""Alarms and dashboards: they look only at what there is, alarm when they should, and say where to read on."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from functions.core import names
from functions.core.metrics import METRICS, NAMESPACE
from functions.pipelines.logins import PIPELINE
from tests.infrastructure.conftest import ROOT, Templates, synthesise
from tests.infrastructure.watched import DOCUMENTED, Watched, body, by_alarm, by_widget, expression

RUNBOOKS = ROOT / "docs" / "runbooks"
RULES = ROOT / "k8s" / "components" / "prometheus" / "rules.yaml"
OWN = {metric.name: metric for metric in METRICS}
OPS = {
    "region": "eu-central-1",
    "zones": ["eu-central-1a", "eu-central-1b", "eu-central-1c"],
    "kafka": {"kind": "express"},
    "pipelines": {"logins": {"pollers": {"least": 1, "most": 4}}},
    "github": {"repository": "someone/tandem", "environment": "ops"},
    "alarm_email": "on-call@example.com",
}
OF_PIPELINE = {
    "lag-growing", "no-progress", "record-age", "rejects", "flood", "stopped", "gaps", "ledger-conflicts",
    "function-errors", "function-throttles",
}  # fmt: skip
OF_QUEUE = {"dead-letter-queue-age", "dead-letter-queue-depth"}
OF_CLUSTER = {"kafka-disk", "kafka-offline-partitions", "kafka-under-min-isr"}


@pytest.fixture(scope="module")
def ops(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """A stage with all that the stages of cdk.json leave out."""
    return synthesise(tmp_path_factory.mktemp("cdk-ops"), {"ops": OPS})


def alarms(templates: Templates, stage: str) -> dict[str, dict[str, Any]]:
    """The properties of a stage's alarms, by the name without the stage and the pipeline."""
    found = templates.resources(stage, "watch", "AWS::CloudWatch::Alarm").values()
    return {
        each["Properties"]["AlarmName"].removeprefix(f"tandem-{stage}-").removeprefix("logins-"): each["Properties"]
        for each in found
    }


def dashboard(templates: Templates, stage: str) -> dict[str, Any]:
    return body(templates.one(stage, "watch", "AWS::CloudWatch::Dashboard"))


def exists(watched: Watched, stage: str) -> bool:
    """Whether somebody emits it: our code, or AWS by its documentation."""
    if watched.namespace != NAMESPACE:
        return DOCUMENTED.get((watched.namespace, watched.name)) == watched.dimensions
    metric = OWN.get(watched.name)
    if metric is None or frozenset(metric.dimensions) != watched.dimensions:
        return False
    runtime = watched.values.get("runtime", metric.runtimes[0])
    return watched.values["stage"] == stage and watched.values["pipeline"] == "logins" and runtime in metric.runtimes


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_alarms_look_only_at_metrics_that_are_emitted(templates: Templates, stage: str) -> None:
    watched = [(name, each) for name, alarm in alarms(templates, stage).items() for each in by_alarm(alarm)]
    assert {name for name, _ in watched} == set(alarms(templates, stage))
    assert [each for each in watched if not exists(each[1], stage)] == []


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_dashboards_look_only_at_metrics_that_are_emitted(templates: Templates, stage: str) -> None:
    widgets = [widget for widget in dashboard(templates, stage)["widgets"] if widget["type"] == "metric"]
    watched = [(widget["properties"]["title"], each) for widget in widgets for each in by_widget(widget)]
    assert [title for title, each in watched if not exists(each, stage)] == []
    assert {title for title, _ in watched} >= {w["properties"]["title"] for w in widgets} - {"Cost: event poller units"}


def test_every_metric_of_ours_is_on_the_dashboard(templates: Templates) -> None:
    """But for those that another one implies: how many records came of which slices, and every way of a stop."""
    shown = {each.name for widget in dashboard(templates, "prod")["widgets"] for each in by_widget(widget)}
    assert {metric.name for metric in METRICS} - shown == {"dropped_total", "stops_total"}


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


def evaluate(text: str, series: Mapping[str, list[float | None]]) -> list[float]:
    """CloudWatch's metric math, as far as our alarms use it, for each period."""
    length = len(next(iter(series.values())))
    told = []
    for at in range(length):
        now = {name: values[at] for name, values in series.items()}
        before = {name: values[at - 1] if at else values[0] for name, values in series.items()}
        code = re.sub(r"FILL\((\w+), 0\)", r"(\1 or 0)", re.sub(r"DIFF\((\w+)\)", r"(\1 - before['\1'])", text))
        code = re.sub(r"IF\((.*), 1, 0\)", r"int(\1)", code).replace("AND", "and").replace("MAX", "max")
        told.append(eval(code, {"int": int, "max": max, "before": before}, now))  # noqa: S307 - our own template's
    return told


def alarmed(alarm: Mapping[str, Any], series: Mapping[str, list[float | None]]) -> bool:
    """Whether the last periods of these series alarm."""
    told = evaluate(expression(alarm), series)[-alarm["EvaluationPeriods"] :]
    return sum(value > alarm["Threshold"] for value in told) >= alarm["DatapointsToAlarm"]


@pytest.mark.parametrize(
    ("name", "series", "expected"),
    [
        ("no-progress", {"lag": [500] * 3, "msk": [None] * 3, "worker": [None] * 3}, True),
        ("no-progress", {"lag": [500] * 3, "msk": [0] * 3, "worker": [None] * 3}, True),
        ("no-progress", {"lag": [500] * 3, "msk": [None, 1, None], "worker": [None] * 3}, False),
        ("no-progress", {"lag": [500] * 3, "msk": [None] * 3, "worker": [None, None, 1]}, False),
        ("no-progress", {"lag": [12] * 3, "msk": [None] * 3, "worker": [None] * 3}, False),
        ("lag-growing", {"lag": list(range(5000, 12000, 1000)), "msk": [9000] * 7, "worker": [None] * 7}, True),
        ("lag-growing", {"lag": list(range(5000, 12000, 1000)), "msk": [None] * 7, "worker": [9000] * 7}, True),
        ("lag-growing", {"lag": list(range(12000, 5000, -1000)), "msk": [9000] * 7, "worker": [None] * 7}, False),
        ("lag-growing", {"lag": list(range(5000, 12000, 1000)), "msk": [None] * 7, "worker": [90000] * 7}, False),
        ("lag-growing", {"lag": list(range(5000, 12000, 1000)), "msk": [None] * 7, "worker": [None] * 7}, False),
        ("record-age", {"msk": [601] * 3, "worker": [None] * 3}, True),
        ("record-age", {"msk": [None] * 3, "worker": [601] * 3}, True),
        ("record-age", {"msk": [601, 601, 599], "worker": [0] * 3}, False),
        ("flood", {"msk": [None] * 12, "worker": [1, *[None] * 11]}, True),
        ("flood", {"msk": [None] * 12, "worker": [None] * 12}, False),
        ("stopped", {"stops": [None] * 2, "stopped": [1, 1]}, True),
        ("stopped", {"stops": [3, 2], "stopped": [None] * 2}, True),
        ("stopped", {"stops": [1, None], "stopped": [0, 0]}, False),
        ("gaps", {"msk": [1, *[None] * 11], "worker": [None] * 12}, True),
        ("ledger-conflicts", {"msk": [6] * 3, "worker": [6] * 3}, True),
        ("ledger-conflicts", {"msk": [6] * 3, "worker": [None] * 3}, False),
    ],
)  # fmt: skip
def test_an_expression_says_what_its_alarm_says(
    templates: Templates,
    name: str,
    series: dict[str, list[float | None]],
    expected: bool,  # noqa: FBT001
) -> None:
    assert alarmed(alarms(templates, "prod")[name], series) is expected


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_every_alarm_names_a_runbook_that_is_there(templates: Templates, stage: str) -> None:
    for alarm in alarms(templates, stage).values():
        says, _, path = alarm["AlarmDescription"].rpartition(" ")
        assert says.endswith(".")
        assert (ROOT / path).is_file()


def test_every_runbook_is_named_by_an_alarm_or_an_alert(templates: Templates) -> None:
    alerts = set(re.findall(r"docs/runbooks/([\w-]+\.md)", RULES.read_text())) if RULES.exists() else set()
    named = {Path(alarm["AlarmDescription"].split()[-1]).name for alarm in alarms(templates, "prod").values()}
    pages = {page.name for page in RUNBOOKS.glob("*.md")}
    assert alerts | named <= pages
    if alerts:
        assert pages <= alerts | named


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_a_runbook_answers_what_whoever_is_woken_asks(page: Path) -> None:
    text = page.read_text()
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
        "What it means", "Who suffers", "Look at first", "Likely causes", "Mend", "It is over when",
    ]  # fmt: skip
    assert "```" in text.split("## Look at first")[1].split("## ")[0]


def test_where_the_repository_is_known_the_runbook_is_a_link(ops: Templates) -> None:
    for alarm in alarms(ops, "ops").values():
        link = alarm["AlarmDescription"].split()[-1]
        assert link.startswith("https://github.com/someone/tandem/blob/main/docs/runbooks/")


def test_only_who_is_named_is_told(templates: Templates, ops: Templates) -> None:
    assert templates.resources("prod", "watch", "AWS::SNS::Subscription") == {}
    subscription = ops.one("ops", "watch", "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "on-call@example.com")


def test_the_topic_is_encrypted_takes_tls_only_and_lets_cloudwatch_publish(templates: Templates) -> None:
    assert "KmsMasterKeyId" in templates.one("prod", "watch", "AWS::SNS::Topic")
    statements = templates.one("prod", "watch", "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (denied,) = [each for each in statements if each["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (allowed,) = [each for each in statements if each["Effect"] == "Allow"]
    assert (allowed["Action"], allowed["Principal"]) == ("sns:Publish", {"Service": "cloudwatch.amazonaws.com"})
    assert allowed["Condition"] == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    key = templates.one("prod", "keys", "AWS::KMS::Key")["KeyPolicy"]["Statement"]
    (uses,) = [each for each in key if each["Principal"] == {"Service": "cloudwatch.amazonaws.com"}]
    assert uses["Action"] == ["kms:Decrypt", "kms:GenerateDataKey*"]
    assert uses["Condition"] == allowed["Condition"]


def test_the_first_row_says_whether_it_is_healthy_and_keeps_up(templates: Templates) -> None:
    for stage, runtime in (("dev", "msk"), ("prod", "worker")):
        first = [widget for widget in dashboard(templates, stage)["widgets"] if widget["y"] == 0]
        assert [widget["properties"]["title"] for widget in first] == [
            f"Is it healthy? {runtime} is enabled", "Is it keeping up? Records behind", "Age of the oldest record, s",
            "Records settled a minute",
        ]  # fmt: skip
        assert len(first[0]["properties"]["alarms"]) == len(OF_PIPELINE)


def test_both_runtimes_stand_side_by_side(templates: Templates) -> None:
    for widget in dashboard(templates, "prod")["widgets"]:
        runtimes = {each.values["runtime"] for each in by_widget(widget) if "runtime" in each.values}
        title = widget["properties"]["title"]
        assert runtimes in ({"msk", "worker"}, set()) or title.startswith(f"{next(iter(runtimes))}: "), title


def test_widgets_fit_their_rows_and_lie_side_by_side(templates: Templates, ops: Templates) -> None:
    for made, stage in ((templates, "dev"), (templates, "prod"), (ops, "ops")):
        widgets = dashboard(made, stage)["widgets"]
        assert all(widget["x"] + widget["width"] <= 24 for widget in widgets)
        places = [(widget["x"], widget["y"]) for widget in widgets]
        assert len(set(places)) == len(places)


def test_what_a_stage_has_not_is_not_on_its_dashboard(templates: Templates, ops: Templates) -> None:
    titles = {
        stage: " ".join(widget["properties"]["title"] for widget in dashboard(made, stage)["widgets"])
        for made, stage in ((templates, "dev"), (templates, "prod"), (ops, "ops"))
    }
    assert ["pollers" in titles[stage] for stage in ("dev", "prod", "ops")] == [False, True, True]
    assert ["Brokers" in titles[stage] for stage in ("dev", "prod", "ops")] == [False, True, False]


def test_dashboards_are_named_by_stage_and_pipeline(templates: Templates) -> None:
    assert templates.one("prod", "watch", "AWS::CloudWatch::Dashboard")["DashboardName"] == "tandem-prod-logins"


def test_nothing_of_another_stack_is_held_but_the_key(templates: Templates) -> None:
    """An export that is in use cannot change, and a mapping's UUID changes with the mapping."""
    text = str(templates["prod", "watch"]["Resources"])
    assert set(re.findall(r"'Fn::ImportValue': '([\w-]+):", text)) == {"tandem-prod-keys"}
