"""The probes' responses over real HTTP, whatever else connects."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest

from functions.adapters.prometheus import PrometheusMeter
from functions.core.metrics import ASSIGNED
from functions.runtimes.worker import probes as module
from functions.runtimes.worker.health import State
from functions.runtimes.worker.probes import MAX_CONNECTIONS, Probes
from functions.telemetry import Sample

STALL = 300.0


def get(port: int, path: str, method: str = "GET") -> tuple[int, str | None, bytes]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.headers["Content-Type"], answer.read()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60)


@contextmanager
def probes(state: State, page: bytes = b"") -> Iterator[int]:
    server = Probes(
        ("127.0.0.1", 0), lambda: state.unhealthy(0.0, STALL), lambda: state.unready(0.0), lambda: page,
        lambda: state.stopped,
    )  # fmt: skip
    try:
        yield server.port
    finally:
        server.close()


def test_probes_respond_with_status_and_reason() -> None:
    state = State(0.0)
    with probes(state) as port:
        assert get(port, "/healthz") == (200, "application/json", b'{"status": "ok"}\n')
        status, _, body = get(port, "/readyz?verbose")
        assert (status, json.loads(body)["why"]) == (503, "the group has not assigned partitions")
        state.assigned, state.longest = True, STALL + 1
        assert get(port, "/readyz") == (200, "application/json", b'{"status": "ok"}\n')
        assert get(port, "/healthz")[0] == 503


def test_readiness_names_stopped_partitions() -> None:
    with probes(State(0.0, assigned=True, stopped=("logins: user-login-0 is stopped",))) as port:
        status, _, body = get(port, "/readyz")
    assert (status, json.loads(body)) == (200, {"status": "ok", "stopped": ["logins: user-login-0 is stopped"]})


def test_metrics_are_prometheus_text() -> None:
    meter = PrometheusMeter("logins")
    meter.record(Sample(ASSIGNED, 3))
    with probes(State(0.0), meter.page()) as port:
        status, kind, body = get(port, "/metrics")
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert b'tandem_assigned_partitions{pipeline="logins"} 3.0' in body


def test_any_other_path_names_the_valid_paths() -> None:
    with probes(State(0.0)) as port:
        status, _, body = get(port, "/")
    assert status == 404
    assert "expected /healthz, /readyz or /metrics" in json.loads(body)["error"]


def test_only_reading_is_allowed() -> None:
    with probes(State(0.0), b"page") as port:
        assert get(port, "/metrics", "POST")[0] == 405
        assert get(port, "/metrics", "HEAD")[::2] == (200, b"")


def test_a_closed_server_frees_its_port() -> None:
    with probes(State(0.0)) as port:
        pass
    again = Probes(("127.0.0.1", port), lambda: None, lambda: None, lambda: b"")
    again.close()
    assert again.port == port


def test_an_address_in_use_is_an_error() -> None:
    with probes(State(0.0)) as port, pytest.raises(OSError, match="in use"):
        Probes(("127.0.0.1", port), lambda: None, lambda: None, lambda: b"")


def test_connections_that_say_nothing_take_no_threads_and_the_oldest_make_room() -> None:
    with probes(State(0.0)) as port:
        before = threading.active_count()
        idle = [connect(port) for _ in range(3 * MAX_CONNECTIONS)]
        assert get(port, "/healthz")[0] == 200
        assert threading.active_count() == before
        assert all(_is_closed(connection) for connection in idle[: 2 * MAX_CONNECTIONS])
        for connection in idle:
            connection.close()
        assert get(port, "/healthz")[0] == 200


def test_a_request_that_is_not_complete_in_time_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REQUEST_SECONDS", 0.1)
    with probes(State(0.0)) as port, connect(port) as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\n")
        began = time.monotonic()
        assert slow.recv(1) == b""
        assert time.monotonic() - began < 60


@pytest.mark.parametrize("request_", [b"\r\n\r\n", b"GET\r\n\r\n", b"x" * 100_000, b"\x16\x03\x01\r\n\r\n", b""])
def test_what_is_no_request_is_closed_and_harms_nothing(request_: bytes, capfd: Any) -> None:
    with probes(State(0.0)) as port:
        with connect(port) as client:
            client.sendall(request_)
            client.shutdown(socket.SHUT_WR)
            assert _is_closed(client)
        assert get(port, "/healthz")[0] == 200
    assert capfd.readouterr() == ("", "")


def _is_closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
