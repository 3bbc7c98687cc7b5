"""Metrics in CloudWatch's embedded metric format: one document per set of labels."""

import json
from typing import Any

import pytest

from functions.adapters import emf
from functions.core.metrics import RECORDS, REJECTS, SETTLE_SECONDS, SLICE_BYTES, dimensions
from functions.telemetry import Sample

HERE = dimensions("prod", "logins", "msk")


def written(capsys: pytest.CaptureFixture[str], *samples: Sample) -> list[dict[str, Any]]:
    emf.flush(HERE, samples)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_document_names_metrics_units_and_dimensions(capsys: pytest.CaptureFixture[str]) -> None:
    (document,) = written(capsys, Sample(RECORDS, 3), Sample(SETTLE_SECONDS, 0.5), Sample(SLICE_BYTES, 7))
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Tandem"
    assert directive["Dimensions"] == [["stage", "pipeline", "runtime"]]
    assert {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]} == {
        "records_total": "Count",
        "settle_seconds": "Seconds",
        "slice_bytes": "Bytes",
    }
    assert {name: document[name] for name in HERE} == HERE
    assert (document["records_total"], document["settle_seconds"], document["slice_bytes"]) == ([3.0], [0.5], [7.0])


def test_counters_are_summed_and_durations_kept_apart(capsys: pytest.CaptureFixture[str]) -> None:
    (document,) = written(
        capsys, Sample(RECORDS, 3), Sample(SETTLE_SECONDS, 0.5), Sample(RECORDS, 4), Sample(SETTLE_SECONDS, 0.25)
    )
    assert (document["records_total"], document["settle_seconds"]) == ([7.0], [0.5, 0.25])


def test_each_set_of_labels_is_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    documents = written(
        capsys, Sample(RECORDS, 1), Sample(REJECTS, 2, ("invalid",)), Sample(REJECTS, 3, ("failed",)),
        Sample(REJECTS, 4, ("invalid",)),
    )  # fmt: skip
    assert [(document.get("reason"), document.get("rejects_total")) for document in documents] == [
        (None, None), ("invalid", [6.0]), ("failed", [3.0]),
    ]  # fmt: skip
    assert documents[1]["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["stage", "pipeline", "runtime", "reason"]]


@pytest.mark.parametrize("number", [99, 100, 101, 250])
def test_no_document_holds_more_than_100_values_and_none_is_lost(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    documents = written(capsys, *[Sample(SETTLE_SECONDS, n) for n in range(number)])
    values = [value for document in documents for value in document["settle_seconds"]]
    assert values == list(range(number))
    assert max(len(document["settle_seconds"]) for document in documents) <= 100
    assert {document["pipeline"] for document in documents} == {"logins"}


def test_nothing_is_written_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert written(capsys) == []


def test_the_environment_does_not_change_the_dimensions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "elsewhere")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Elsewhere")
    (document,) = written(capsys, Sample(RECORDS, 1))
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], directive["Dimensions"]) == ("Tandem", [["stage", "pipeline", "runtime"]])
