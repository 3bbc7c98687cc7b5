"""The metrics: what exporters, dashboards and alarms rely on."""

import re

import pytest

from functions.core import metrics
from functions.core.metrics import BOTH, LABELS, METRICS, Metric, MetricKind, Unit, dimensions


def test_every_metric_is_listed_once() -> None:
    declared = [value for value in vars(metrics).values() if isinstance(value, Metric)]
    assert set(METRICS) == set(declared)
    assert len(METRICS) == len({metric.name for metric in METRICS}) == len(declared)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_follow_the_conventions_of_prometheus(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", metric.name)
    assert (metric.kind is MetricKind.COUNTER) == metric.name.endswith("_total")
    assert (metric.unit is Unit.SECONDS) == metric.name.endswith("_seconds")
    assert (metric.unit is Unit.BYTES) == ("bytes" in metric.name)
    assert metric.help


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_labels_do_not_repeat_the_common_dimensions(metric: Metric) -> None:
    assert metric.dimensions == ("stage", "pipeline", "runtime", *metric.labels)
    assert len(set(metric.dimensions)) == len(metric.dimensions)
    assert set(metric.runtimes) <= set(BOTH)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_only_distributions_have_buckets_and_they_rise(metric: Metric) -> None:
    assert (metric.kind is MetricKind.DISTRIBUTION) == bool(metric.buckets)
    assert list(metric.buckets) == sorted(set(metric.buckets))


def test_the_label_values_of_a_counter_are_fixed() -> None:
    assert {label for metric in METRICS if metric.kind is not MetricKind.GAUGE for label in metric.labels} == set(
        LABELS
    )


def test_the_dimensions_that_every_metric_has() -> None:
    assert dimensions("prod", "logins", "worker") == {"stage": "prod", "pipeline": "logins", "runtime": "worker"}
