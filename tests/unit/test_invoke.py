"""`tandem invoke`: the real handler, in this process."""

import json
import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from functions.cli import invocation
from functions.cli.invocation_report import InvocationReport
from functions.cli.main import main
from functions.core.errors import Misconfigured, OffsetsWentBack, Unavailable
from functions.core.ports import Position, Source
from functions.pipelines.logins import process
from tests.unit.operate.world import TOPIC

LOGIN = {
    "user_id": "u", "app_version": "1.2.3", "device_type": "ios", "ip": "10.0.0.1", "locale": "DE", "device_id": "d",
    "timestamp": 1767225600,
}  # fmt: skip


def record(offset: int, value: bytes | None, partition: int = 0, topic: str = TOPIC) -> dict[str, Any]:
    return {
        "topic": topic, "partition": partition, "offset": offset, "timestamp": 1_767_225_600_000 + offset,
        "timestampType": "CREATE_TIME", "key": None, "value": value and b64encode(value).decode(),
        "headers": [{"trace": [1, -2]}],
    }  # fmt: skip


def login(**changes: Any) -> bytes:
    return json.dumps(LOGIN | changes).encode()


def event_of(*records: dict[str, Any]) -> dict[str, Any]:
    partitions: dict[str, list[dict[str, Any]]] = {}
    for each in records:
        partitions.setdefault(f"{each['topic']}-{each['partition']}", []).append(each)
    return {"eventSource": "aws:kafka", "records": partitions}


EVENT = event_of(
    record(5, login()),
    record(6, b"{"),
    record(7, None),
    record(8, login(ip="\x1b[2J")),
    record(9, login(), partition=1),
)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[object], Path]:
    def write(content: object) -> Path:
        path = tmp_path / "event.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def run(*arguments: object, commands: str = "") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TANDEM_", "AWS_"))}
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        env=environment, input=commands, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_each_slice_is_reported_with_its_rows_rejects_and_drops(file: Callable[[object], Path]) -> None:
    done = run("functions.cli.main", "invoke", file(EVENT), "--pipeline", "logins")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "user-login-0 [5, 8]: settled: records 4, rows 1, rejects 2, dropped 1",
        "  user-login/0/6 undecodable: record: Invalid JSON: EOF while parsing an object at line 1 column 1",
        "  user-login/0/8 rejected: ip: expected an IPv4 or IPv6 address",
        "user-login-1 [9, 9]: settled: records 1, rows 1, rejects 0, dropped 0",
    ]
    assert '"message":"settled"' in done.stderr  # the handler's own log


def test_standard_output_is_json_alone_if_wanted(file: Callable[[object], Path]) -> None:
    done = run("functions.cli.main", "invoke", file(EVENT), "--pipeline", "logins", "--json")
    result = json.loads(done.stdout)
    assert (result["pipeline"], result["settled"], result["error"]) == ("logins", True, None)
    first, second = result["slices"]
    assert {name: first[name] for name in ("topic", "partition", "start", "end", "records", "rows", "dropped")} == {
        "topic": TOPIC, "partition": 0, "start": 5, "end": 8, "records": 4, "rows": 1, "dropped": 1,
    }  # fmt: skip
    assert [(reject["offset"], reject["reason"]) for reject in first["rejects"]] == [
        (6, "undecodable"),
        (8, "rejected"),
    ]
    assert second["rejects"] == []


def test_a_debugger_stops_in_process(file: Callable[[object], Path]) -> None:
    code = process.__code__
    line = next(line for _, _, line in code.co_lines() if line and line > code.co_firstlineno)
    commands = f"b {code.co_filename}:{line}\nc\np 'user', login.user_id\ncl 1\nc\nq\n"
    done = run("pdb", "-m", "functions.cli.main", "invoke", file(EVENT), "--pipeline", "logins", commands=commands)
    assert "('user', 'u')" in done.stdout
    assert "rows 1" in done.stdout


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("{", "expected JSON: "),
        ([], "expected an event of a Kafka event source mapping, got a list"),
        ({"Records": []}, "expected an event of a Kafka event source mapping, got eventSource None"),
        (event_of(record(5, login()) | {"value": "?"}), "user-login-0: expected records of a Kafka event source"),
        (
            event_of(record(5, login()) | {"headers": [{"h": [None]}]}),
            "headers: expected records of a Kafka event source",
        ),
        (event_of(record(5, login()) | {"offset": None}), "user-login-0: expected records of a Kafka event source"),
    ],
)
def test_anything_but_an_event_is_one_line(
    content: object, error: str, file: Callable[[object], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = file(content)
    with pytest.raises(SystemExit) as ended:
        main(["invoke", str(path), "--pipeline", "logins"])
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"error: {path}: {error}")
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_missing_file_or_pipeline_is_one_line(
    file: Callable[[object], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments, error in (
        (["/none.json", "--pipeline", "logins"], "error: /none.json: No such file or directory\n"),
        ([str(file(EVENT)), "--pipeline", "none"], "error: expected one of the pipelines logins, got 'none'\n"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["invoke", *arguments])
        assert ended.value.code == 2
        assert capsys.readouterr().err == error


def test_an_error_of_the_handler_is_reported_with_its_slice(capsys: pytest.CaptureFixture[str]) -> None:
    with invocation.memory_app("logins") as app:
        ledger: Any = app.settler.stores.ledger
        ledger.positions[Source("logins", TOPIC, 0)] = Position(100, 0, None, 0)
        result = invocation.invoke(app, EVENT, timeout=30)
    assert isinstance(result.error, OffsetsWentBack)
    lines = result.text().splitlines()
    assert lines[0].startswith("user-login-0 [5, 8]: not settled: OffsetsWentBack: user-login-0 [5, 8]: ")
    assert lines[1] == "user-login-1 [9, 9]: settled: records 1, rows 1, rejects 0, dropped 0"
    assert result.as_dict()["settled"] is False
    assert result.as_dict()["slices"][0]["error"].startswith("OffsetsWentBack: ")


def test_a_failed_run_exits_with_1(
    file: Callable[[object], Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def failed(app: Any, _event: object, _timeout: float) -> InvocationReport:
        return InvocationReport(app.pipeline, [], [], Unavailable("away"))

    monkeypatch.setattr(invocation, "invoke", failed)
    with pytest.raises(SystemExit) as ended:
        main(["invoke", str(file(EVENT)), "--pipeline", "logins", "--json"])
    assert ended.value.code == 1
    assert json.loads(capsys.readouterr().out)["error"] == "Unavailable: away"


def test_records_of_another_topic_are_noted_and_an_empty_event_too() -> None:
    with invocation.memory_app("logins") as app:
        other = invocation.invoke(app, event_of(record(0, login(), topic="other")), timeout=30)
        empty = invocation.invoke(app, event_of(), timeout=30)
    assert other.text().splitlines()[-1] == "note: logins reads topic user-login, and these records are of other"
    assert empty.text() == "the event has no records"


def test_a_record_that_is_delivered_again_is_reported_as_settled_before() -> None:
    with invocation.memory_app("logins") as app:
        invocation.invoke(app, EVENT, timeout=30)
        again = invocation.invoke(app, EVENT, timeout=30)
    assert again.text().splitlines()[0].endswith("records 0, rows 0, rejects 0, dropped 0, settled before 4")


def test_an_event_in_a_file_is_read_as_it_is(file: Callable[[object], Path]) -> None:
    assert invocation.read_event(file(EVENT)) == EVENT
    with pytest.raises(Misconfigured):
        invocation.read_event(Path("/none.json"))
