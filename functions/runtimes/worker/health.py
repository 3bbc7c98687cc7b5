"""What the worker answers over HTTP, from a thread of its own, so that it answers even while slices are processed.

/healthz  200 while the worker makes progress: its loop turns, and no attempt in flight is older than the stall limit.
          A store outage is not a reason to restart: attempts end and are tried again.
/readyz   200 when the group has assigned this worker its partitions (also none of them) and no partition is stopped.
/metrics  Prometheus' text format.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, Final, Protocol

LOOP_SECONDS: Final = 60.0  # how long one turn of the loop may take besides a drain, assignments included


@dataclass(slots=True)
class State:
    """Written by the worker's loop, read by the probes; plain attributes, each written whole."""

    turned: float  # monotonic time of the loop's last turn
    turn_seconds: float = LOOP_SECONDS  # how long a turn may take
    longest: float = 0.0  # seconds of the oldest attempt in flight, at that turn
    assigned: bool = False
    stopped: tuple[str, ...] = ()  # the errors of stopped partitions

    def unhealthy(self, now: float, stall_seconds: float) -> str | None:
        """Why the worker makes no progress, or None."""
        if now - self.turned > self.turn_seconds:
            return f"the loop has not turned for {now - self.turned:.0f} s"
        if self.longest > stall_seconds:
            return f"an attempt has been in flight for {self.longest:.0f} s, the limit is {stall_seconds:g} s"
        return None

    def unready(self) -> str | None:
        """Why the worker should not count as working, or None."""
        if not self.assigned:
            return "the group has not assigned partitions yet"
        return "; ".join(self.stopped) or None


class Page(Protocol):
    """The metrics, as text."""

    def __call__(self) -> bytes:
        """Prometheus' text format."""


class Probes:
    """The HTTP server. Port 0 takes a free one; `port` says which."""

    def __init__(
        self, at: tuple[str, int], healthy: Callable[[], str | None], ready: Callable[[], str | None], page: Page
    ) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                match self.path.partition("?")[0]:
                    case "/healthz":
                        self._probe(healthy())
                    case "/readyz":
                        self._probe(ready())
                    case "/metrics":
                        self._answer(200, "text/plain; version=0.0.4; charset=utf-8", page())
                    case _:
                        self._answer(404, "application/json", b'{"error": "takes /healthz, /readyz or /metrics"}\n')

            def _probe(self, problem: str | None) -> None:
                body = {"status": "ok"} if problem is None else {"status": "failing", "why": problem}
                self._answer(200 if problem is None else 503, "application/json", json.dumps(body).encode() + b"\n")

            def _answer(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:  # noqa: ANN401 - the signature of the standard library
                """Probes come every few seconds: nobody wants a line for each."""

        self._server = ThreadingHTTPServer(at, Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, name="probes", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
