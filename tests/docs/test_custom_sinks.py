"""The HTTP sink of the documentation settles records to a real HTTP server."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any

import pytest

from docs.examples.orders import PIPELINE
from functions.adapters.custom_sinks import ProcessContext, made
from functions.adapters.memory import memory_stores
from functions.core.dead_letter import Reason
from functions.core.errors import InvalidPipeline, Retry
from functions.core.settle import Settler
from functions.core.slice import Slice
from functions.sinks.contract import SinkContract, Store
from tests.docs.pages import ROOT, page

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DESCRIPTOR, ADAPTER, CONTRACT = (
    block.code for block in page("docs/custom-sinks.md").blocks if block.language == "python"
)
PATHS = ("functions/pipelines/http_sink.py", "functions/adapters/http.py")


class Endpoint:
    """What an HTTP server received. `answers`: the statuses of the next requests; then 204, or 422 for a bad row."""

    def __init__(self) -> None:
        self.rows: dict[str, Any] = {}
        self.requests: Counter[str] = Counter()
        self.answers: list[int | None] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/lines"

    def handler(self) -> type[BaseHTTPRequestHandler]:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                row = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = endpoint.receive(self.headers["Idempotency-Key"], row)
                if status is not None:  # otherwise the connection ends without an answer
                    self.send_response(status)
                    self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                pass

        return Handler

    def receive(self, key: str, row: Any) -> int | None:
        self.requests[key] += 1
        status = self.answers.pop(0) if self.answers else 422 if row.get("sku") == "bad" or row.get("id") == -1 else 204
        if status in {204, None}:  # without an answer the row may have been stored as well
            assert self.rows.setdefault(key, row) == row
        return status


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    endpoint = Endpoint()
    thread = Thread(target=endpoint.server.serve_forever, daemon=True)
    thread.start()
    yield endpoint
    endpoint.server.shutdown()
    endpoint.server.server_close()
    thread.join()


@pytest.fixture
def descriptor(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The class of the sink; its adapter can be imported."""
    modules = []
    for path, code in zip(PATHS, (DESCRIPTOR, ADAPTER), strict=True):
        module = ModuleType(path.removesuffix(".py").replace("/", "."))
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(code, vars(module))  # noqa: S102 - our own page
        modules.append(module)
    return modules[0].HttpSink


def order(*skus: str) -> bytes:
    items = [{"sku": sku, "quantity": 1, "price": "0.10"} for sku in skus]
    return json.dumps({"customer": "ada", "placed_at": "2026-11-25T12:00:00Z", "items": items}).encode()


def slice_of(*values: bytes) -> Slice:
    n = len(values)
    return Slice("order", 3, 7, 6 + n, range(7, 7 + n), [0] * n, [b"o"] * n, values, [[("tenant", b"t")]] * n)


def settler_of(sink: Any) -> Settler:
    pipeline = replace(PIPELINE, sinks=(*PIPELINE.sinks, sink))
    stores = replace(memory_stores(pipeline, lambda: NOW), sinks={"billing": made(sink, context())})
    return Settler(pipeline, stores, b"sixteen bytes or more")


def context() -> ProcessContext:
    return ProcessContext("test", "orders", lambda: b"")


def test_every_row_arrives_once_per_key_whatever_the_endpoint_answers(endpoint: Endpoint, descriptor: Any) -> None:
    endpoint.answers = [503, 204, 500, 204, None, 429]
    settlement = settler_of(descriptor("billing", url=endpoint.url)).begin(slice_of(order("a", "b"), order("c")))
    attempts = 1
    while True:
        try:
            settled = settlement.run()
            break
        except Retry:
            attempts += 1
    assert attempts == 5
    assert (settled.records, settled.rows) == (2, 3)
    keys = [f"orders/order/3/0/{offset}/{number}" for offset, number in ((7, 0), (7, 1), (8, 0))]
    assert {key: row["sku"] for key, row in endpoint.rows.items()} == dict(zip(keys, "abc", strict=True))
    assert endpoint.rows[keys[0]]["amount"] == "0.10"
    assert endpoint.requests[keys[0]] > 1


def test_a_refused_row_is_a_dead_letter_and_the_others_stand(endpoint: Endpoint, descriptor: Any) -> None:
    settler = settler_of(descriptor("billing", url=endpoint.url))
    settler.settle(slice_of(order("a", "bad"), order("c")))
    assert sorted(row["sku"] for row in endpoint.rows.values()) == ["a", "c"]
    letters: Any = settler.stores.dead_letters
    (letter,) = letters.letters.values()
    assert (letter.offset, letter.reason) == (7, Reason.REFUSED)
    assert f"{endpoint.url} answered 422" in letter.detail


class TestContract(SinkContract):
    """As the page's class."""

    refused_id = -1

    @pytest.fixture
    def store(self, endpoint: Endpoint, descriptor: Any) -> Store:
        assert descriptor.adapter == "functions.adapters.http:make"
        defined: dict[str, Any] = {}
        exec(CONTRACT, defined)  # noqa: S102 - our own page
        assert defined["TestHttpSink"].refused_id == self.refused_id
        store: Store = defined["TestHttpSink"]().store.__wrapped__(self, endpoint)
        return store


def test_an_endpoint_that_is_not_there_is_a_retry(endpoint: Endpoint, descriptor: Any) -> None:
    endpoint.server.shutdown()
    endpoint.server.server_close()
    with pytest.raises(Retry, match="refused"):
        settler_of(descriptor("billing", url=endpoint.url)).settle(slice_of(order("a")))


def test_a_wrong_url_is_refused_at_declaration(descriptor: Any) -> None:
    with pytest.raises(InvalidPipeline, match="HttpSink 'billing' url: expected https://"):
        replace(PIPELINE, sinks=(descriptor("billing", url="file:///etc/passwd"),))


def test_the_adapter_has_about_40_lines() -> None:
    code = [line for line in ADAPTER.splitlines() if line.strip() and not line.startswith(("from ", '"""'))]
    assert len(code) <= 40


@pytest.mark.parametrize(("path", "code"), [*zip(PATHS, (DESCRIPTOR, ADAPTER), strict=True)])
def test_the_code_passes_our_lint(path: str, code: str) -> None:
    for verb in (["check"], ["format", "--check"]):
        command = [str(Path(sys.executable).with_name("ruff")), *verb, "--quiet", "--stdin-filename", path, "-"]
        done = subprocess.run(command, cwd=ROOT, input=code, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
