"""Metrics as Prometheus scrapes them."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from functions.adapters.prometheus import PrometheusMeter
from functions.core.metrics import (
    BYTES_IN_FLIGHT,
    LABELS,
    LAG,
    METRICS,
    RECORDS,
    REJECTS,
    SETTLE_SECONDS,
    Metric,
    MetricKind,
)
from functions.telemetry import Sample


def series(meter: PrometheusMeter) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(meter.page().decode())
        for sample in family.samples
    }


def value(meter: PrometheusMeter, name: str, **labels: str) -> float | None:
    return series(meter).get((name, frozenset({"pipeline": "logins", **labels}.items())))


@pytest.fixture
def meter() -> PrometheusMeter:
    return PrometheusMeter("logins")


def test_counters_add_and_gauges_are_set(meter: PrometheusMeter) -> None:
    for sample in (Sample(RECORDS, 3), Sample(RECORDS, 4), Sample(BYTES_IN_FLIGHT, 9), Sample(BYTES_IN_FLIGHT, 2)):
        meter.record(sample)
    assert value(meter, "tandem_records_total") == 7
    assert value(meter, "tandem_bytes_in_flight") == 2


def test_labels_make_series(meter: PrometheusMeter) -> None:
    meter.record(Sample(REJECTS, 1, ("invalid",)))
    meter.record(Sample(REJECTS, 2, ("failed",)))
    assert value(meter, "tandem_rejects_total", reason="invalid") == 1
    assert value(meter, "tandem_rejects_total", reason="failed") == 2


def test_distributions_are_a_histogram(meter: PrometheusMeter) -> None:
    for seconds in (0.02, 3.0):
        meter.record(Sample(SETTLE_SECONDS, seconds))
    assert value(meter, "tandem_settle_seconds_count") == 2
    assert value(meter, "tandem_settle_seconds_sum") == pytest.approx(3.02)
    assert value(meter, "tandem_settle_seconds_bucket", le="0.025") == 1


def test_a_series_can_be_forgotten_even_before_it_exists(meter: PrometheusMeter) -> None:
    for partition in ("0", "1"):
        meter.record(Sample(LAG, 5, (partition,)))
    meter.forget(LAG, "0")
    meter.forget(LAG, "7")
    assert value(meter, "tandem_lag_records", partition="0") is None
    assert value(meter, "tandem_lag_records", partition="1") == 5


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_is_described(metric: Metric, meter: PrometheusMeter) -> None:
    kinds = {MetricKind.COUNTER: "counter", MetricKind.GAUGE: "gauge", MetricKind.DISTRIBUTION: "histogram"}
    page = meter.page().decode()
    assert f"# HELP tandem_{metric.name} {metric.help}\n" in page
    assert f"# TYPE tandem_{metric.name} {kinds[metric.kind]}\n" in page


def test_there_are_no_created_series(meter: PrometheusMeter) -> None:
    for metric in METRICS:
        meter.record(Sample(metric, 1, metric.labels))
    assert [name for name, _ in series(meter) if name.endswith("_created")] == []


def test_the_process_is_measured_too(meter: PrometheusMeter) -> None:
    names = {name for name, _ in series(meter)}
    assert {"process_resident_memory_bytes", "process_cpu_seconds_total", "python_info"} <= names


def test_two_meters_do_not_share_a_registry(meter: PrometheusMeter) -> None:
    meter.record(Sample(RECORDS, 1))
    assert value(PrometheusMeter("logins"), "tandem_records_total") == 0


def test_counters_exist_before_the_first_event(meter: PrometheusMeter) -> None:
    assert value(meter, "tandem_floods_total") == value(meter, "tandem_settle_seconds_count") == 0
    assert value(meter, "tandem_rebalances_total", change="lost") == 0
    assert {value(meter, "tandem_rejects_total", reason=reason) for reason in LABELS["reason"]} == {0}
    assert value(meter, "tandem_last_settled_timestamp_seconds") is None  # 1970 would be an alarming age
