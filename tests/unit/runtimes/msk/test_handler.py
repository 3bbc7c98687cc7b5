"""An invocation: everything settles and it returns, or it raises the worst failure."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from aws_lambda_powertools import Tracer

from functions.bootstrap import App
from functions.core.errors import Fatal, Flood, InvalidSetting, Refused, Unavailable
from functions.core.metrics import METRICS, RECORD_AGE, dimensions
from functions.core.settle import Settled, Settler
from functions.core.slice import Slice
from functions.pipelines.logins import PIPELINE
from functions.runtimes.msk import handler as module
from functions.runtimes.msk.batch import Batch, Hung, OutOfTime
from functions.runtimes.msk.handler import Runtime
from functions.settings import Settings
from tests.unit.runtimes.world import (
    DEVICE,
    IP,
    KEY,
    NO_FLOOD,
    SETTINGS,
    Logs,
    World,
    beginning,
    event,
    login,
    recorded,
)

Settle = Callable[[Slice], Settled]


@dataclass
class Context:
    """The part of Lambda's context that the handler uses."""

    seconds: float = 30
    aws_request_id: str = "6f1a"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


class Function:
    """A handler on in-memory stores."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self.world, self.logs, self.retired = World(replace(PIPELINE, limits=NO_FLOOD)), Logs(), 0
        self._threads = threads

    def __call__(
        self, given: Any, seconds: float = 30, settle: Settle | None = None, margin: float = 0.5
    ) -> dict[str, int]:
        batch = Batch(beginning(settle) if settle else self.world.settler.begin, self._threads)
        tracer = Tracer(service="test", disabled=True)
        runtime = Runtime(dimensions("test", "logins", "msk"), batch, self.logs.log, tracer, margin, self.retire)
        return runtime.handle(given, Context(seconds))  # type: ignore[arg-type]

    def retire(self) -> None:
        self.retired += 1

    def failing(self, errors: dict[int, Exception]) -> Settle:
        def settle(slice_: Slice) -> Settled:
            if slice_.partition in errors:
                raise errors[slice_.partition]
            return self.world.settler.settle(slice_)

        return settle


@pytest.fixture
def function() -> Iterator[Function]:
    with ThreadPoolExecutor(4) as threads:
        yield Function(threads)


def documents(text: str) -> list[dict[str, Any]]:
    """The metrics that were written, checked against the specification of CloudWatch's embedded metric format."""
    written = [json.loads(line) for line in text.splitlines()]
    for document in written:
        (directive,) = document["_aws"]["CloudWatchMetrics"]
        assert isinstance(document["_aws"]["Timestamp"], int)
        assert directive["Namespace"] == "Tandem"
        assert all(isinstance(document[name], str) for group in directive["Dimensions"] for name in group)
        names = [metric["Name"] for metric in directive["Metrics"]]
        assert set(names) <= {metric.name for metric in METRICS}
        assert all(0 < len(document[name]) <= 100 for name in names)
    return written


def test_a_batch_of_several_partitions_is_settled(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    assert function(recorded("msk_partitions")) == {"records": 5}
    assert function.world.next() == {0: 6, 2: 43, 11: 2}
    assert sorted(function.world.table.rows) == [("a",), ("c",), ("d",), ("e",)]
    assert [line["partition"] for line in function.logs.lines_of("settled")] == [2, 0, 11]
    rejects, first = sorted(documents(capsys.readouterr().out), key=len)
    assert (first["stage"], first["runtime"]) == ("test", "msk")
    assert (first["pipeline"], first["records_total"], first["rows_total"]) == ("logins", [5.0], [4.0])
    assert len(first["settle_seconds"]) == 3
    assert (rejects["pipeline"], rejects["reason"], rejects["rejects_total"]) == ("logins", "undecodable", [1.0])


def test_a_batch_delivered_again_settles_nothing_twice(function: Function) -> None:
    function(recorded("msk_partitions"))
    assert function(recorded("msk_partitions")) == {"records": 5}
    assert len(function.world.topic.messages) == 4
    assert sum(function.world.ledger.counters.values()) == 4
    assert function.logs.lines()[-1]["already"] == 2


def test_an_empty_batch_returns_and_logs_nothing(function: Function, capsys: pytest.CaptureFixture[str]) -> None:
    assert function(recorded("msk_empty")) == {"records": 0}
    assert (function.logs.lines(), capsys.readouterr().out) == ([], "")


def test_every_line_names_the_request(function: Function) -> None:
    function(recorded("self_managed"))
    (line,) = function.logs.lines()
    assert (line["request_id"], line["topic"], line["start"], line["end"], line["next"]) == (
        "6f1a", "user-login", 3, 3, 4,
    )  # fmt: skip


def test_one_partition_that_fails_does_not_stop_the_others(
    function: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    settle = function.failing({2: Flood("too many rejects")})
    with pytest.raises(Flood, match="too many rejects"):
        function(recorded("msk_partitions"), settle=settle)
    assert function.world.next() == {0: 6, 11: 2}
    (line,) = function.logs.lines_of("not settled")
    assert (line["level"], line["partition"], line["error"]) == ("ERROR", 2, "too many rejects")
    assert "Traceback" in line["exception"]
    metrics = {name: value for document in documents(capsys.readouterr().out) for name, value in document.items()}
    assert (metrics["floods_total"], metrics["stops_total"], metrics["records_total"]) == ([1.0], [1.0], [3.0])


def test_the_worst_failure_is_raised(function: Function) -> None:
    retry, stop, bug, fatal = Unavailable("retry"), Flood("stop"), ZeroDivisionError("bug"), Fatal("fatal")
    given = event(p0=[login()], p1=[login()], p2=[login()], p3=[login()])
    for worst, errors in (
        (fatal, {0: bug, 1: fatal, 2: stop, 3: retry}),
        (bug, {0: stop, 1: retry, 2: bug}),
        (stop, {0: retry, 1: stop}),
    ):
        with pytest.raises(type(worst)) as raised:
            function(given, seconds=1, settle=function.failing(dict(errors)))
        assert raised.value is worst


def test_when_the_time_is_up_it_raises_and_the_others_have_settled(function: Function) -> None:
    release = Event()

    def settle(slice_: Slice) -> Settled:
        if slice_.partition == 1:
            release.wait(120)
        return function.world.settler.settle(slice_)

    began = time.monotonic()
    with pytest.raises(OutOfTime, match=r"user-login-1 .*: not settled when the time was up"):
        function(event(p0=[login()], p1=[login()]), seconds=62, settle=settle, margin=60)
    assert time.monotonic() - began < 62  # Lambda kills it after 62 s, and a minute is kept back
    assert function.world.next() == {0: 1}
    release.set()


def test_without_time_nothing_hangs(function: Function) -> None:
    with pytest.raises(OutOfTime):
        function(event(p0=[login()]), seconds=0.1, settle=lambda _: Event().wait(1))  # type: ignore[arg-type,return-value]


def test_the_age_of_the_oldest_record_is_measured_however_the_slice_ends(
    function: Function, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_694_479_581.0)  # 30 s after the event's records
    given = event(p0=[login(), login()], p1=[login()], p2=[login()])
    given["records"]["user-login-0"][1]["timestamp"] += 20_000
    given["records"]["user-login-2"][0]["timestamp"] = -1
    with pytest.raises(Flood):
        function(given, settle=function.failing({1: Flood("f")}))
    ages = [document[RECORD_AGE.name] for document in documents(capsys.readouterr().out) if RECORD_AGE.name in document]
    assert ages == [[30.0, 30.0]]


def test_a_gap_is_a_warning(function: Function) -> None:
    function(recorded("self_managed"))
    late = recorded("self_managed")
    late["records"]["user-login-0"][0]["offset"] = 9
    function(late)
    assert [(line["level"], line.get("gaps")) for line in function.logs.lines()] == [
        ("INFO", None),
        ("WARNING", [[4, 8]]),
    ]


def test_no_personal_data_leaves_by_logs_metrics_or_errors(
    function: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = [
        login(ip=f"{IP}/x"), login(locale=f"{IP} {DEVICE}"), login(timestamp=DEVICE), login(device_id=[DEVICE]),
        login(app_version=DEVICE), login(timestamp=10**30), login(device_id=""), f"{IP} {DEVICE}".encode(), None,
    ]  # fmt: skip
    function(event(p0=[login(), *bad]))

    def settle(_slice: Slice) -> Settled:
        raise Unavailable("s3: slow down")

    with pytest.raises(Unavailable) as raised:
        function(event(p1=[login(), *bad]), seconds=0.6, settle=settle)
    assert len(function.world.letters.letters) == 8
    output = function.logs.text.getvalue() + capsys.readouterr().out + str(raised.value)
    assert len(function.logs.lines()) == 2
    assert IP not in output
    assert DEVICE not in output
    assert IP not in str(function.world.lake.objects) + str(function.world.topic.messages)


def test_an_event_of_another_source_fails_the_invocation(function: Function) -> None:
    with pytest.raises(ValueError, match="expected an event of a Kafka event source mapping"):
        function(recorded("sqs"))


class Built:
    """Counts how often the runtime is built; settling raises `error` if there is one."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, function: Function, folder: Path, error: Exception | None = None
    ) -> None:
        self.times, self.error = 0, error
        self._key = folder / "mask-key"
        self._key.write_bytes(KEY)
        stores = replace(function.world.stores, now=self._now)
        monkeypatch.setattr("functions.settings.read", self._read)
        monkeypatch.setattr(module, "App", lambda settings: App(settings, stores))
        monkeypatch.setattr(module, "tune_collector", lambda: None)
        monkeypatch.setattr(module, "logger", lambda _settings: function.logs.log)
        monkeypatch.setattr(module, "Tracer", lambda service: Tracer(service=service, disabled=True))
        module._runtime.cache_clear()

    def _now(self) -> datetime:
        if self.error is not None:
            raise self.error
        return datetime(2026, 1, 1, tzinfo=UTC)

    def _read(self) -> Settings:
        self.times += 1
        changes = {"settle_threads": 2, "time_margin_seconds": 0.5, "mask_key_from": f"file:{self._key}"}
        return SETTINGS.model_copy(update=changes)


def test_the_runtime_is_built_once(monkeypatch: pytest.MonkeyPatch, function: Function, tmp_path: Path) -> None:
    built = Built(monkeypatch, function, tmp_path)
    for _ in range(2):
        assert module.handler(recorded("self_managed"), Context()) == {"records": 1}  # type: ignore[arg-type]
    assert built.times == 1


def test_after_a_fatal_failure_the_next_invocation_builds_new_clients(
    monkeypatch: pytest.MonkeyPatch, function: Function, tmp_path: Path
) -> None:
    built = Built(monkeypatch, function, tmp_path, Fatal("producer"))
    with pytest.raises(Fatal):
        module.handler(recorded("self_managed"), Context())  # type: ignore[arg-type]
    built.error = None
    module.handler(recorded("self_managed"), Context())  # type: ignore[arg-type]
    assert built.times == 2


def test_other_failures_keep_the_clients(monkeypatch: pytest.MonkeyPatch, function: Function, tmp_path: Path) -> None:
    built = Built(monkeypatch, function, tmp_path, Flood("f"))
    with pytest.raises(Flood):
        module.handler(recorded("self_managed"), Context())  # type: ignore[arg-type]
    built.error = None
    module.handler(recorded("self_managed"), Context())  # type: ignore[arg-type]
    assert built.times == 1


def test_every_invocation_reports_an_invalid_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> Any:
        raise InvalidSetting("TANDEM_STAGE: missing")

    monkeypatch.setattr("functions.settings.read", read)
    module._runtime.cache_clear()
    for _ in range(2):
        with pytest.raises(InvalidSetting, match="TANDEM_STAGE"):
            module.handler(recorded("msk_empty"), Context())  # type: ignore[arg-type]


def test_an_environment_whose_thread_hangs_in_the_pipelines_code_is_retired(function: Function) -> None:
    end = Event()

    def process(_login: Any) -> Any:
        end.wait(10)

    function.world.pipeline = replace(function.world.pipeline, process=process)
    function.world.settler = Settler(function.world.pipeline, function.world.stores, KEY)
    with pytest.raises(Hung):
        function(event(p0=[login()]), seconds=0.7)
    end.set()
    assert function.retired == 1


def test_a_partition_with_records_that_no_mapping_sends_fails_alone(function: Function) -> None:
    given = event(p0=[login()], p1=[login()], p2=[login()])
    given["records"]["user-login-1"][0]["offset"] = "none"
    with pytest.raises(ValueError, match="user-login-1: expected records"):
        function(given)
    assert function.world.next() == {0: 1, 2: 1}


def test_records_of_another_topic_are_refused_and_the_others_settle(function: Function) -> None:
    given = event(p0=[login()], p1=[login()])
    given["records"]["user-login-1"][0]["topic"] = "another"
    with pytest.raises(Refused, match="expected records of topic 'user-login'"):
        function(given)
    assert function.world.next() == {0: 1}
