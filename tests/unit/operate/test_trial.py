"""`tandem try`: what each line becomes, and lines that are no records."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from functions import registry
from functions.cli.main import app, main
from functions.core.dead_letter import Reason
from functions.core.dedup import Dedup
from functions.core.errors import Misconfigured
from functions.core.pipeline import Pipeline, Tombstones
from functions.core.sinks import Lake, Table
from functions.operate.input_lines import InputRecord, read_records
from functions.operate.trial.run import REPEATED, Outcome, Trial, TrialResult

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
HOUR_MS = 3_600_000
LOGIN = {
    "user_id": "424cdd21", "app_version": "2.3.0", "device_type": "android", "ip": "199.172.111.135", "locale": "RU",
    "device_id": "593-47-5928", "timestamp": 1694479551,
}  # fmt: skip


class Click(BaseModel):
    id: str


def repeat(click: Click) -> list[Click] | None:
    print("not for standard output")  # noqa: T201
    return None if click.id == "none" else [click, click]


CLICKS = Pipeline(
    "clicks", "click", Click, Click, repeat, (Lake(), Table("clicks", "id")),
    tombstones=Tombstones.DELETE, dedup=Dedup("id", timedelta(hours=1)),
)  # fmt: skip


def tried(*records: InputRecord) -> list[TrialResult]:
    return list(map(Trial(CLICKS, {}, lambda: NOON).result, records))


def envelopes(tmp_path: Path, *lines: str) -> list[InputRecord]:
    file = tmp_path / "input"
    file.write_text("\n".join(lines))
    return list(read_records(file, envelope=True))


def test_a_record_becomes_rows_a_delete_nothing_or_a_reject(capsys: pytest.CaptureFixture[str]) -> None:
    values = [b'{"id": "a"}', b'{"id": "none"}', b"", None]
    results = tried(*(InputRecord(line, b"k", value) for line, value in enumerate(values, 1)))
    assert [(result.line, result.outcome, result.reason) for result in results] == [
        (1, Outcome.ROWS, None), (2, Outcome.DROPPED, None), (3, Outcome.REJECTED, Reason.UNDECODABLE),
        (4, Outcome.ROWS, None),
    ]  # fmt: skip
    assert (results[0].rows, results[3].deletes) == ([{"id": "a"}] * 2, [{"id": "k"}])
    assert capsys.readouterr().out == ""


def test_repeated_events_are_dropped_as_far_apart_as_the_pipeline_says() -> None:
    times = [0, HOUR_MS, HOUR_MS + 1, None]
    results = tried(*(InputRecord(line, None, b'{"id": "a"}', (), time) for line, time in enumerate(times, 1)))
    assert [result.outcome.value for result in results] == ["rows", "dropped", "rows", "rows"]
    assert results[1].detail == REPEATED


def test_values_are_lines_as_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "input"
    file.write_bytes(b'{"a": 1}\r\n\n\xff\nlast')
    assert [record.value for record in read_records(file, envelope=False)] == [b'{"a": 1}\r', b"", b"\xff", b"last"]


def test_standard_input_is_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.operate.input_lines.stdin", SimpleNamespace(buffer=io.BytesIO(b"a\nb\n")))
    assert [record.value for record in read_records(Path("-"), envelope=False)] == [b"a", b"b"]


@pytest.mark.parametrize(
    ("envelope", "key", "value"),
    [
        ('{"value": "text", "key": "k"}', b"k", b"text"),
        ('{"value": {"price": 1.10, "n": 12345678901234567.50}}', None, b'{"price": 1.10, "n": 12345678901234567.50}'),
        ('{"key": {"id":7},"value": [1, "}"] , "timestamp": null}', b'{"id":7}', b'[1, "}"]'),
        ('{"value_base64": "/wA=", "key_base64": "AQ==", "value": null}', b"\x01", b"\xff\x00"),
        ('{"value": null}', None, None),
        (' { "key" : "\\u00e9" } ', "\u00e9".encode(), None),
        ("{}", None, None),
    ],
)  # fmt: skip
def test_an_envelope_is_a_record(tmp_path: Path, envelope: str, key: bytes | None, value: bytes | None) -> None:
    (record,) = envelopes(tmp_path, envelope)
    assert (record.key, record.value) == (key, value)


def test_an_envelope_has_headers_and_a_timestamp(tmp_path: Path) -> None:
    (record,) = envelopes(tmp_path, '{"headers": [["tenant", "eu"], ["a", null], ["tenant", ""]], "timestamp": 5}')
    assert record.headers == [("tenant", b"eu"), ("a", None), ("tenant", b"")]
    assert record.timestamp == 5


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "expected an envelope, which is a JSON object"),
        ("[]", "expected an envelope, which is a JSON object"),
        ('{"value": 1', "Expecting ',' delimiter"),
        ('{"value": 1} x', "Extra data"),
        ('{"valeu": 1}', "got 'valeu'"),
        ('{"value": 1, "value": 2}', "expected 'value' once"),
        ('{"value": 1, "value_base64": "AA=="}', "expected value or value_base64, got both"),
        ('{"value_base64": "*"}', "value_base64: expected Base64"),
        ('{"value_base64": 7}', "value_base64: expected Base64"),
        ('{"value": "\\ud800"}', "value: expected text that UTF-8 can encode"),
        ('{"headers": {"a": "b"}}', "headers: expected pairs"),
        ('{"headers": [["a"]]}', r'got \["a"\]'),
        ('{"headers": [["a", 1]]}', "headers: expected text or null for 'a', got 1"),
        ('{"headers": [["\\ud800", null]]}', "headers: expected text"),
        ('{"timestamp": "now"}', 'timestamp: expected milliseconds or null, got "now"'),
        ('{"timestamp": true}', "timestamp: expected milliseconds"),
        ('{"timestamp": 1.5}', "timestamp: expected milliseconds"),
        ("[" * 100_000, "nested|envelope"),
        ('{"value": ' + "[" * 100_000, "line 2: nested too deeply"),
    ],
)
def test_what_is_no_envelope_is_named_by_its_line(tmp_path: Path, line: str, problem: str) -> None:
    with pytest.raises(Misconfigured, match=problem) as error:
        envelopes(tmp_path, "{}", line, "")
    assert "input: line 2: " in str(error.value)


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["try", "logins", str(tmp_path / name)])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_verb_prints_json_for_scripts_and_text_for_people(tmp_path: Path) -> None:
    file = tmp_path / "logins.jsonl"
    file.write_text("\n".join([json.dumps(LOGIN), "nonsense", json.dumps(LOGIN | {"locale": "nowhere"})]))
    result = CliRunner().invoke(app, ["try", "logins", str(file), "--json"])
    lines: list[dict[str, Any]] = list(map(json.loads, result.stdout.splitlines()))
    assert [set(line) for line in lines] == [{"line", "outcome", "rows", "deletes", "reason", "detail"}] * 3
    assert [(line["outcome"], line["reason"]) for line in lines] == [
        ("rows", None), ("rejected", "undecodable"), ("rejected", "rejected"),
    ]  # fmt: skip
    (row,) = lines[0]["rows"]
    assert row["user_id"] == "424cdd21" and row["ip"] != LOGIN["ip"]  # noqa: PT018 - one row
    text = CliRunner().invoke(app, ["try", "logins", str(file)]).stdout
    assert text.splitlines()[-1] == "3 records: 1 row, 0 dropped, 2 rejected (rejected 1, undecodable 1)"


def test_a_misspelled_pipeline_is_suggested(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["try", "login", str(tmp_path)])
    assert "got 'login'. Did you mean logins?" in capsys.readouterr().err
    assert "logins" in registry.names()
