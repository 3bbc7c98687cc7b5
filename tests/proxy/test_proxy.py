"""The proxy's effect on a request, from the client's and the server's side."""

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from urllib.parse import urlsplit

import pytest

from tests.proxy import faults as store_faults
from tests.proxy.proxy import Proxy, no_fault

BODY = b"x" * 1000
RANDOM = Random(1)  # noqa: S311 - reproducible on purpose


class Echo(BaseHTTPRequestHandler):
    """Responds with the request that it received; `asked` counts the requests."""

    protocol_version = "HTTP/1.1"
    asked = 0

    def do_PUT(self) -> None:
        type(self).asked += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    Echo.asked = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with Proxy(f"http://127.0.0.1:{server.server_port}") as between:
            yield between
        server.shutdown()


def put(proxy: Proxy, target: str = "") -> tuple[int, bytes]:
    to = urlsplit(proxy.endpoint)
    connection = http.client.HTTPConnection(to.hostname or "", to.port, timeout=60)
    try:
        connection.request("PUT", "/bucket/key", BODY, {"X-Amz-Target": target, "Expect": "100-continue"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_in_fair_weather_it_changes_nothing(proxy: Proxy) -> None:
    assert [put(proxy) for _ in range(3)] == [(200, BODY)] * 3
    assert Echo.asked == 3


def test_a_reset_precedes_the_effect_of_the_request(proxy: Proxy) -> None:
    proxy.fault = store_faults.reset
    with pytest.raises(OSError, match="reset"):
        put(proxy)
    assert Echo.asked == 0


def test_a_response_is_cut_after_the_request_took_effect(proxy: Proxy) -> None:
    proxy.fault = store_faults.cut(RANDOM)
    for _ in range(6):
        with pytest.raises((OSError, http.client.HTTPException)):
            put(proxy)
    assert Echo.asked == 6


def test_it_refuses_and_accepts_again_on_the_same_port(proxy: Proxy) -> None:
    put(proxy)
    proxy.refuse()
    with pytest.raises(OSError, match="refused"):
        put(proxy)
    proxy.accept()
    assert put(proxy) == (200, BODY)


def test_stalled_requests_take_effect_in_the_end(proxy: Proxy) -> None:
    moving = threading.Event()
    proxy.fault = store_faults.stalled(moving)
    waiting = [threading.Thread(target=put, args=(proxy,)) for _ in range(3)]
    for thread in waiting:
        thread.start()
    proxy.fault = no_fault
    assert Echo.asked == 0
    moving.set()
    for thread in waiting:
        thread.join()
    assert Echo.asked == 3


@pytest.mark.parametrize(("before", "asked"), [(True, 0), (False, 1)], ids=["a request", "an answer"])
def test_a_held_request_waits_and_others_pass(proxy: Proxy, asked: int, *, before: bool) -> None:
    held = proxy.fault = store_faults.HeldRequest("PUT /bucket/key DynamoDB", before=before)
    waiting = threading.Thread(target=put, args=(proxy, "DynamoDB_20120810.UpdateItem"))
    waiting.start()
    assert held.holding.wait(60)
    assert Echo.asked == asked
    assert put(proxy) == put(proxy, "DynamoDB_20120810.GetItem") == (200, BODY)
    held.release()
    waiting.join()
    assert Echo.asked == 3


@pytest.mark.parametrize("bad", [store_faults.throttled(RANDOM), store_faults.contended])
@pytest.mark.parametrize("target", ["", "DynamoDB_20120810.TransactWriteItems", "DynamoDB_20120810.UpdateItem"])
def test_an_error_of_aws_replaces_the_response(proxy: Proxy, bad: object, target: str) -> None:
    proxy.fault = bad  # type: ignore[assignment]
    status, body = put(proxy, target)
    assert status in {400, 409, 500, 503}
    assert b"chaos" in body
    assert Echo.asked == 0


def test_a_limited_table_throttles_what_is_beyond_its_rate_and_nothing_else(proxy: Proxy) -> None:
    times = iter([0.0, 0.0, 0.0, 0.25, 0.5])
    proxy.fault = store_faults.limited(2.0, lambda: next(times))
    answers = [put(proxy, "DynamoDB_20120810.PutItem") for _ in range(4)]
    assert [status for status, _ in answers] == [200, 200, 400, 200]
    assert b"ProvisionedThroughputExceededException" in answers[2][1]
    assert put(proxy, "DynamoDB_20120810.UpdateItem") == (200, BODY)
