"""One vocabulary: the same names and numbers whichever runtime speaks."""

import json
import re
from collections import Counter

import pytest
from prometheus_client.parser import text_string_to_metric_families

from functions import telemetry
from functions.adapters import emf
from functions.adapters.prometheus import PrometheusMeter
from functions.core.dead_letter import Reason
from functions.core.ports import Gap
from functions.core.settle import Settled
from functions.core.slice import Slice
from functions.telemetry import METRICS, Kind, Metric, Sample, fields, samples, settled_fields

EVERYTHING = Settled(
    next=10,
    records=6,
    rows=2,
    rejected=Counter({Reason.INVALID: 2, Reason.FAILED: 1}),
    dropped=1,
    already=3,
    adopted=4,
    conflicts=5,
    gaps=[Gap(1, 2), Gap(4, 4)],
)


def test_every_metric_is_listed_once() -> None:
    declared = [value for value in vars(telemetry).values() if isinstance(value, Metric)]
    assert set(METRICS) == set(declared)
    assert len(METRICS) == len({metric.name for metric in METRICS}) == len(declared)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_follow_the_conventions_of_prometheus(metric: Metric) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", metric.name)
    assert (metric.kind is Kind.COUNTER) == metric.name.endswith("_total")
    assert metric.kind is not Kind.DURATION or metric.name.endswith("_seconds")
    assert "pipeline" not in metric.labels
    assert metric.help


def test_settling_says_all_that_happened() -> None:
    assert {(sample.metric.name, *sample.labels): sample.value for sample in samples(EVERYTHING, 1.5)} == {
        ("records_total",): 6,
        ("rows_total",): 2,
        ("rejects_total", "invalid"): 2,
        ("rejects_total", "failed"): 1,
        ("dropped_total",): 1,
        ("already_settled_total",): 3,
        ("roll_forwards_total",): 4,
        ("ledger_conflicts_total",): 5,
        ("gaps_total",): 2,
        ("settle_seconds",): 1.5,
    }


def test_what_did_not_happen_is_not_sent() -> None:
    assert list(samples(Settled(next=1), 0.1)) == [Sample(telemetry.SETTLE_SECONDS, 0.1)]
    assert settled_fields(Settled(next=1), 0.1234) == {"next": 1, "seconds": 0.123}


def test_a_log_line_says_which_slice_and_what_happened() -> None:
    part = Slice("click", 3, 5, 9, [5], [0], [None], [b"v"], [()])
    assert fields(part) == {"topic": "click", "partition": 3, "start": 5, "end": 9}
    told = settled_fields(EVERYTHING, 1.5)
    assert told == {
        "next": 10, "records": 6, "rows": 2, "rejects": {"invalid": 2, "failed": 1}, "dropped": 1, "already": 3,
        "adopted": 4, "conflicts": 5, "gaps": [[1, 2], [4, 4]], "seconds": 1.5,
    }  # fmt: skip
    assert json.loads(json.dumps(told)) == told


def test_both_exporters_use_the_same_names_and_labels(capsys: pytest.CaptureFixture[str]) -> None:
    every = [Sample(metric, 1, tuple(f"some {label}" for label in metric.labels)) for metric in METRICS]
    emf.flush("logins", every)
    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    sent = {
        (metric["Name"], frozenset(directive["Dimensions"][0]))
        for document in documents
        for directive in document["_aws"]["CloudWatchMetrics"]
        for metric in directive["Metrics"]
    }
    meter = PrometheusMeter("logins")
    for sample in every:
        meter.record(sample)
    scraped = {
        (sample.name.removeprefix("tandem_").removesuffix("_count"), frozenset(sample.labels))
        for family in text_string_to_metric_families(meter.page().decode())
        if family.name.startswith("tandem_")
        for sample in family.samples
        if not sample.name.endswith(("_bucket", "_sum"))
    }
    assert sent == scraped == {(metric.name, frozenset(("pipeline", *metric.labels))) for metric in METRICS}
