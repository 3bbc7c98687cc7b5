"""The worker's metrics in CloudWatch: summed, in few calls, without disturbing anything else."""

import time
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from functions.adapters import cloudwatch
from functions.adapters.aws import Aws
from functions.adapters.cloudwatch import CloudWatchMeter
from functions.core.metrics import ASSIGNED, LAG, RECORDS, REJECTS, SETTLE_SECONDS, SLICE_BYTES, dimensions
from functions.telemetry import Sample
from tests.unit.adapters.clients import client_error, fails
from tests.unit.runtimes.world import Logs

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = dimensions("prod", "logins", "worker")


class Fake:
    """A fake of CloudWatch's client. `calls` holds the data of each put."""

    def __init__(self) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self.answer: Callable[[], object] = lambda: None

    def put_metric_data(self, *, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803 - as botocore has it
        assert Namespace == "Tandem"
        self.calls.append(MetricData)
        self.answer()

    def data(self) -> dict[tuple[str, ...], Any]:
        """The last call: (name, *labels) -> value, or value -> count for a distribution."""
        return {
            (datum["MetricName"], *_label_values(datum)): datum["Value"]
            if "Value" in datum
            else dict(zip(datum["Values"], datum["Counts"], strict=True))
            for datum in self.calls[-1]
        }


def _label_values(datum: dict[str, Any]) -> list[str]:
    return [dimension["Value"] for dimension in datum["Dimensions"][len(HERE) :]]


class Bench:
    def __init__(self) -> None:
        self.client, self.logs = Fake(), Logs()
        self.meter = CloudWatchMeter(self.client, HERE, self.logs.log)  # type: ignore[arg-type]

    def record(self, *samples: Sample) -> None:
        for sample in samples:
            self.meter.record(sample)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_datum_names_metric_unit_and_dimensions(bench: Bench) -> None:
    bench.record(Sample(SLICE_BYTES, 7), Sample(REJECTS, 2, ("invalid",)))
    bench.meter.put()
    rejects, size = bench.client.calls[0]
    assert {dimension["Name"]: dimension["Value"] for dimension in rejects["Dimensions"]} == HERE | {
        "reason": "invalid"
    }
    assert (rejects["MetricName"], rejects["Unit"], rejects["Value"]) == ("rejects_total", "Count", 2)
    assert {dimension["Name"]: dimension["Value"] for dimension in size["Dimensions"]} == HERE
    assert (size["MetricName"], size["Unit"], size["Values"], size["Counts"]) == ("slice_bytes", "Bytes", [7.0], [1])
    assert abs(time.time() - size["Timestamp"].timestamp()) < 60


def test_counters_restart_with_each_put_and_gauges_keep_their_values(bench: Bench) -> None:
    bench.record(Sample(RECORDS, 3), Sample(RECORDS, 4), Sample(ASSIGNED, 9), Sample(ASSIGNED, 2))
    bench.record(Sample(SETTLE_SECONDS, 0.5), Sample(SETTLE_SECONDS, 0.25), Sample(SETTLE_SECONDS, 0.5))
    bench.meter.put()
    assert bench.client.data() == {
        ("records_total",): 7, ("assigned_partitions",): 2, ("settle_seconds",): {0.5: 2, 0.25: 1},
    }  # fmt: skip
    bench.meter.put()
    assert bench.client.data() == {("assigned_partitions",): 2}


def test_a_gauge_can_be_forgotten_even_before_it_is_set(bench: Bench) -> None:
    bench.record(Sample(LAG, 5, ("0",)), Sample(LAG, 6, ("1",)))
    bench.meter.forget(LAG, "0")
    bench.meter.forget(LAG, "7")
    bench.meter.put()
    assert bench.client.data() == {("lag_records", "1"): 6}


def test_without_samples_nothing_is_put(bench: Bench) -> None:
    bench.meter.put()
    assert bench.client.calls == []


def test_values_are_rounded_to_three_digits_so_that_they_are_few(bench: Bench) -> None:
    bench.record(*(Sample(SETTLE_SECONDS, 1 + n / 1e6) for n in range(1000)))
    bench.meter.put()
    assert bench.client.data() == {("settle_seconds",): {1.0: 1000}}


def test_every_datum_and_call_is_within_cloudwatchs_limits_and_nothing_is_lost(bench: Bench) -> None:
    bench.record(*(Sample(SETTLE_SECONDS, n / 100) for n in range(1, 401)))
    bench.record(*(Sample(LAG, n, (str(n),)) for n in range(700)))
    bench.meter.put()
    assert [len(call) for call in bench.client.calls] == [300, 300, 103]
    data = [datum for call in bench.client.calls for datum in call]
    values = [value for datum in data for value in datum.get("Values", ())]
    assert values == [n / 100 for n in range(1, 401)]
    assert max(len(datum.get("Values", ())) for datum in data) == 150
    assert sum("Value" in datum for datum in data) == 700


def test_a_failure_is_logged_once_and_drops_its_samples(bench: Bench) -> None:
    def away() -> None:
        raise client_error("Throttling")

    bench.client.answer = away
    for _ in range(3):
        bench.record(Sample(RECORDS, 1))
        bench.meter.put()
    (line,) = bench.logs.lines()
    assert (line["level"], line["message"]) == ("WARNING", "metrics not put to CloudWatch")
    assert "Throttling" in line["error"]
    bench.client.answer = lambda: None
    bench.record(Sample(RECORDS, 5))
    bench.meter.put()
    assert bench.client.data() == {("records_total",): 5}
    bench.client.answer = away
    bench.meter.put()
    bench.record(Sample(RECORDS, 1))
    bench.meter.put()
    assert len(bench.logs.lines()) == 2


def test_a_real_client_that_is_refused_is_only_a_warning(aws: Aws) -> None:
    logs = Logs()
    calls = fails(aws.cloudwatch, client_error("AccessDenied", 403))
    meter = CloudWatchMeter(aws.cloudwatch, HERE, logs.log)
    meter.record(Sample(RECORDS, 1))
    meter.put()
    assert len(calls) == 1
    assert "AccessDenied" in logs.lines_of("metrics not put to CloudWatch")[0]["error"]


def test_it_puts_repeatedly_on_a_separate_thread_and_the_rest_at_the_end(bench: Bench) -> None:
    put = Event()
    bench.client.answer = put.set
    bench.record(Sample(RECORDS, 1))
    bench.meter.start(0.01)
    assert put.wait(60)
    bench.meter.close()
    calls = len(bench.client.calls)
    bench.record(Sample(RECORDS, 1))
    assert calls == len(bench.client.calls)

    slow = Bench()
    slow.meter.start(3600)
    slow.record(Sample(RECORDS, 4))
    slow.meter.close()
    assert slow.client.data() == {("records_total",): 4}


def test_closing_does_not_wait_for_a_cloudwatch_that_hangs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    release = Event()
    monkeypatch.setattr(cloudwatch, "CLOSE_SECONDS", 0.05)
    bench.client.answer = lambda: release.wait(120)
    bench.record(Sample(RECORDS, 1))
    bench.meter.start(3600)
    began = time.monotonic()
    bench.meter.close()
    took = time.monotonic() - began
    release.set()
    assert took < 60


def test_an_unstarted_meter_closes(bench: Bench) -> None:
    bench.meter.close()
    assert bench.client.calls == []
