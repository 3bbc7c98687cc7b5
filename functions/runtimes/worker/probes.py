"""The worker's HTTP server for probes and metrics, on a separate thread, so that it responds while slices settle.

However many clients connect and say nothing, it holds MAX_CONNECTIONS: a new one replaces the oldest.
"""

import asyncio
import json
import socket
from collections.abc import Callable
from concurrent.futures import Future
from http import HTTPStatus
from threading import Thread
from typing import Final, Protocol

REQUEST_SECONDS: Final = 5.0  # until a request must be complete and its response taken
MAX_REQUEST_BYTES: Final = 16 * 1024
MAX_CONNECTIONS: Final = 100
CLOSE_SECONDS: Final = 2.0
JSON: Final = "application/json"
PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"


class Page(Protocol):
    """Renders the metrics."""

    def __call__(self) -> bytes:
        """Return the metrics in Prometheus' text format."""


class Probes:
    """The server of /healthz, /readyz and /metrics. `healthy` and `ready` return what is wrong, or None.

    Port 0 picks a free port; `port` returns it. `notes` are shown by /readyz and change nothing. Raises OSError if the
    address cannot be used.
    """

    def __init__(
        self,
        address: tuple[str, int],
        healthy: Callable[[], str | None],
        ready: Callable[[], str | None],
        page: Page,
        notes: Callable[[], tuple[str, ...]] = tuple,
    ) -> None:
        self._healthy, self._ready, self._page, self._notes = healthy, ready, page, notes
        self._socket = socket.create_server(address)
        self.port = int(self._socket.getsockname()[1])
        self._connections: dict[asyncio.Task[None], None] = {}  # the oldest first
        self._started: Future[Callable[[], object]] = Future()
        self._thread = Thread(target=lambda: asyncio.run(self._serve()), name="probes", daemon=True)
        self._thread.start()
        self._stop = self._started.result()

    def close(self) -> None:
        """Stop the server and close its socket."""
        self._stop()
        self._thread.join(CLOSE_SECONDS)

    async def _serve(self) -> None:
        """Serve until the function is called that `_started` returns. `asyncio.run` then cancels the connections."""
        loop, stopping = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connected, sock=self._socket, limit=MAX_REQUEST_BYTES)
        self._started.set_result(lambda: loop.call_soon_threadsafe(stopping.set))
        await stopping.wait()
        server.close()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio runs this as a task
        if len(self._connections) >= MAX_CONNECTIONS:
            oldest = next(iter(self._connections))
            del self._connections[oldest]
            oldest.cancel()
        self._connections[task] = None
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                writer.write(self._respond((await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)))
                await writer.drain()
        except (OSError, TimeoutError, EOFError, ValueError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass  # the client has gone, is too slow, sends no HTTP, or made room for another
        finally:
            self._connections.pop(task, None)
            writer.transport.abort() if task.cancelling() else writer.close()

    def _respond(self, request: list[bytes]) -> bytes:
        method, target, _ = request
        match target.decode("ascii", "replace").partition("?")[0]:
            case _ if method not in {b"GET", b"HEAD"}:
                response = (HTTPStatus.METHOD_NOT_ALLOWED, JSON, _json({"error": "expected GET"}))
            case "/healthz":
                response = _probe(self._healthy())
            case "/readyz":
                response = _probe(self._ready(), self._notes())
            case "/metrics":
                response = (HTTPStatus.OK, PROMETHEUS, self._page())
            case _:
                response = (HTTPStatus.NOT_FOUND, JSON, _json({"error": "expected /healthz, /readyz or /metrics"}))
        status, content_type, body = response
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + (b"" if method == b"HEAD" else body)


def _probe(problem: str | None, notes: tuple[str, ...] = ()) -> tuple[HTTPStatus, str, bytes]:
    body: dict[str, object] = {"status": "ok"} if problem is None else {"status": "failing", "why": problem}
    body |= {"stopped": notes} if notes else {}
    return HTTPStatus.OK if problem is None else HTTPStatus.SERVICE_UNAVAILABLE, JSON, _json(body)


def _json(body: dict[str, object]) -> bytes:
    return json.dumps(body).encode() + b"\n"
