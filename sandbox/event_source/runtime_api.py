"""The Lambda runtime API, which a runtime asks for its next invocation and sends its answer to.

Follows AWS, "Using the Lambda runtime API for custom runtimes" (version 2018-06-01): invocation/next, response, error
and init/error, over HTTP/1.1. The server listens on a free loopback port and serves one child process for its life.
A response larger than 6 MB, which Lambda would refuse, is accepted here.
"""

import json
import logging
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, Final

from sandbox.event_source.outcome import FunctionError, InvocationOutcome, Ok

ROOT: Final = "/2018-06-01/runtime"
LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of the function; `deadline_ms` is in milliseconds since 1970."""

    request_id: str
    event: bytes
    deadline_ms: int
    function_arn: str
    trace_id: str

    def headers(self) -> dict[str, str]:
        """Return the headers of the runtime API's answer."""
        return {
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(self.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.function_arn,
            "Lambda-Runtime-Trace-Id": self.trace_id,
        }


class RuntimeApi(ThreadingHTTPServer):
    """Serves from construction until `close`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _RuntimeRequest)
        self.ready = Event()  # set once the runtime has asked for work: its init phase is over
        self._current: Invocation | None = None
        self._invocations: SimpleQueue[Invocation | None] = SimpleQueue()
        self._outcomes: SimpleQueue[InvocationOutcome] = SimpleQueue()
        Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        """The value of AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self.server_address[1]}"

    def hand_over(self, invocation: Invocation) -> None:
        """Answer the runtime's next request with an invocation. One at a time."""
        self._current = invocation
        self._invocations.put(invocation)

    def outcome(self, timeout: float) -> InvocationOutcome | None:
        """Return the runtime's answer, or None if there is none within `timeout` seconds."""
        try:
            return self._outcomes.get(timeout=timeout)
        except Empty:
            return None

    def next_invocation(self) -> Invocation | None:
        """Wait for an invocation; None when the server closes."""
        self.ready.set()
        return self._invocations.get()

    def answer(self, path: str, body: bytes) -> HTTPStatus:
        """Process what the runtime posted to `path`; return the status of the acknowledgement."""
        current = f"{ROOT}/invocation/{self._current.request_id}" if self._current else None
        if path == f"{current}/response":
            self._outcomes.put(Ok(body))
        elif path in {f"{ROOT}/init/error", f"{current}/error"}:
            self._outcomes.put(FunctionError(body))
        else:
            return HTTPStatus.BAD_REQUEST
        return HTTPStatus.ACCEPTED

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002 - the base class's
        """Log broken connections, which a killed child leaves, at debug level."""
        LOG.debug("runtime API connection to %s ended", client_address)

    def close(self) -> None:
        """Stop serving, and free the thread that waits for the next invocation."""
        self._invocations.put(None)
        self.shutdown()
        self.server_close()


class _RuntimeRequest(BaseHTTPRequestHandler):
    server: RuntimeApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # header and body go in two writes: without this each invocation waits 40 ms

    def do_GET(self) -> None:
        if self.path != f"{ROOT}/invocation/next":
            self._reply(HTTPStatus.NOT_FOUND, b"{}", {})
        elif invocation := self.server.next_invocation():
            self._reply(HTTPStatus.OK, invocation.event, invocation.headers())
        else:
            self.close_connection = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status = self.server.answer(self.path, body)
        self._reply(status, json.dumps({"status": status.phrase}).encode(), {})

    def _reply(self, status: HTTPStatus, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        LOG.debug(format, *args)
