"""One vocabulary: whichever exporter speaks, every metric has the same name and labels."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import pytest
from prometheus_client.parser import text_string_to_metric_families

from functions.adapters import emf
from functions.adapters.aws import Aws
from functions.adapters.cloudwatch import CloudWatchMeter
from functions.adapters.prometheus import PrometheusMeter
from functions.core.metrics import DIMENSIONS, METRICS, RECORDS, REJECTS, SETTLE_SECONDS, dimensions
from functions.telemetry import Sample
from tests.contracts.twins import fresh

HERE = dimensions("prod", "logins", "worker")
SAMPLES = [Sample(metric, 1, tuple(f"some {label}" for label in metric.labels)) for metric in METRICS]
Exported = set[tuple[str, frozenset[str]]]


def by_emf(capsys: pytest.CaptureFixture[str]) -> Exported:
    emf.flush(HERE, SAMPLES)
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return {
        (metric["Name"], frozenset(directive["Dimensions"][0]))
        for document in documents
        for directive in document["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }


def by_cloudwatch(_: pytest.CaptureFixture[str]) -> Exported:
    client = Mock()
    meter = CloudWatchMeter(client, HERE, Mock())
    for sample in SAMPLES:
        meter.record(sample)
    meter.put()
    data = client.put_metric_data.call_args.kwargs["MetricData"]
    return {(datum["MetricName"], frozenset(dimension["Name"] for dimension in datum["Dimensions"])) for datum in data}


def by_prometheus(_: pytest.CaptureFixture[str]) -> Exported:
    meter = PrometheusMeter("logins")
    for sample in SAMPLES:
        meter.record(sample)
    return {
        (sample.name.removeprefix("tandem_").removesuffix("_count"), frozenset(sample.labels) | {"stage", "runtime"})
        for family in text_string_to_metric_families(meter.page().decode())
        if family.name.startswith("tandem_")
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_sum"))
    }


@pytest.mark.parametrize("exported", [by_emf, by_cloudwatch, by_prometheus])
def test_every_exporter_uses_the_same_names_and_labels(
    exported: Callable[[pytest.CaptureFixture[str]], Exported], capsys: pytest.CaptureFixture[str]
) -> None:
    assert exported(capsys) == {(metric.name, frozenset((*DIMENSIONS, *metric.labels))) for metric in METRICS}


def test_metrics_put_to_cloudwatch_can_be_read(aws: Aws) -> None:
    """Under exactly the dimensions that dashboards and alarms name."""
    client = aws.cloudwatch
    here = dimensions("prod", fresh("pipeline"), "worker")
    meter = CloudWatchMeter(client, here, Mock())
    for sample in (Sample(RECORDS, 3), Sample(RECORDS, 4), Sample(REJECTS, 2, ("invalid",))):
        meter.record(sample)
    for seconds in (0.5, 0.5, 2.0):
        meter.record(Sample(SETTLE_SECONDS, seconds))
    meter.put()

    def statistics_of(name: str, *statistics: Any, **labels: str) -> list[float]:
        now = datetime.now(UTC)
        points: Any = client.get_metric_statistics(
            Namespace="Tandem", MetricName=name, Period=600, Statistics=statistics,
            Dimensions=[{"Name": name, "Value": value} for name, value in {**here, **labels}.items()],
            StartTime=now - timedelta(minutes=5), EndTime=now + timedelta(minutes=5),
        )["Datapoints"]  # fmt: skip
        return [sum(point[statistic] for point in points) for statistic in statistics]

    assert statistics_of("records_total", "Sum") == [7.0]
    assert statistics_of("rejects_total", "Sum", reason="invalid") == [2.0]
    assert statistics_of("settle_seconds", "SampleCount", "Sum", "Maximum") == [3.0, 3.0, 2.0]
