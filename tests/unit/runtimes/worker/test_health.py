"""What the probes answer, over real HTTP, whatever the worker is doing."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from threading import Event

import pytest

from functions.adapters.prometheus import PrometheusMeter
from functions.core.metrics import ASSIGNED
from functions.core.settle import Settled
from functions.runtimes.worker.fleet import Fleet
from functions.runtimes.worker.health import LOOP_SECONDS, Probes, State
from functions.telemetry import Sample
from tests.unit.runtimes.worker.lanes import lane, run

STALL = 300.0


def get(port: int, path: str) -> tuple[int, str, bytes]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()


@contextmanager
def probes(state: State, page: bytes = b"") -> Iterator[int]:
    server = Probes(("127.0.0.1", 0), lambda: state.unhealthy(state.turned, STALL), state.unready, lambda: page)
    try:
        yield server.port
    finally:
        server.close()


@pytest.mark.parametrize(
    ("state", "now", "why"),
    [
        (State(turned=100.0), 100.0 + LOOP_SECONDS, None),
        (State(turned=100.0), 101.0 + LOOP_SECONDS, "the loop has not turned for 61 s"),
        (State(turned=100.0, turn_seconds=80.0), 101.0 + LOOP_SECONDS, None),
        (State(turned=100.0, longest=STALL), 100.0, None),
        (State(turned=100.0, longest=STALL + 1), 100.0, "an attempt has been in flight for 301 s, the limit is 300 s"),
    ],
)
def test_healthy_means_progress(state: State, now: float, why: str | None) -> None:
    assert state.unhealthy(now, STALL) == why


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (State(0.0), "the group has not assigned partitions yet"),
        (State(0.0, assigned=True), None),
        (State(0.0, assigned=True, stopped=("one", "two")), "one; two"),
    ],
)
def test_ready_means_assigned_and_nothing_stopped(state: State, why: str | None) -> None:
    assert state.unready() == why


def test_probes_answer_with_status_and_reason() -> None:
    state = State(0.0)
    with probes(state) as port:
        assert get(port, "/healthz") == (200, "application/json", b'{"status": "ok"}\n')
        status, _, body = get(port, "/readyz?verbose")
        assert (status, json.loads(body)["why"]) == (503, "the group has not assigned partitions yet")
        state.assigned, state.longest = True, STALL + 1
        assert get(port, "/readyz")[0] == 200
        assert get(port, "/healthz")[0] == 503


def test_metrics_are_prometheus_text() -> None:
    meter = PrometheusMeter("logins")
    meter.record(Sample(ASSIGNED, 3))
    with probes(State(0.0), meter.page()) as port:
        status, kind, body = get(port, "/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b'tandem_assigned_partitions{pipeline="logins"} 3.0' in body


def test_any_other_path_says_which_there_are() -> None:
    with probes(State(0.0)) as port:
        status, _, body = get(port, "/")
    assert status == 404
    assert "takes /healthz, /readyz or /metrics" in json.loads(body)["error"]


def test_probes_answer_while_a_slice_is_being_settled() -> None:
    release, state = Event(), State(0.0, assigned=True)

    def settle(_part: object) -> Settled:
        release.wait(5)
        return Settled()

    with probes(state, b"# metrics") as port, ThreadPoolExecutor(1) as threads:
        fleet = Fleet(settle, threads, lambda: 0.0, lanes={0: lane()})
        fleet.add([run(0, 1, 2)], 0.0)
        fleet.start(0.0)
        answers = [get(port, path)[0] for path in ("/healthz", "/readyz", "/metrics")]
        blocked = fleet.in_flight == 1 and fleet.ended(0.0) == []
        release.set()
    assert blocked
    assert answers == [200, 200, 200]


def test_a_closed_server_frees_its_port() -> None:
    with probes(State(0.0)) as port:
        pass
    again = Probes(("127.0.0.1", port), lambda: None, lambda: None, lambda: b"")
    again.close()
    assert again.port == port
