"""An HTTP proxy before the AWS emulator that can inject faults.

Laws: without a fault it changes nothing. It forwards a request whole and once, even if the client has given up. It
listens on the loopback address only, on one port that it keeps while it refuses connections.
"""

import socket
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler
from threading import Lock, Thread
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from sandbox.aws import endpoints
from sandbox.broker.kraft import free_ports

HOP: Final = frozenset({"connection", "expect", "keep-alive"})  # headers of one connection, not for the server
RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST instead of FIN


class Request(NamedTuple):
    """The parts of a request for a fault rule. `target` is like DynamoDB_20120810.UpdateItem; empty for S3."""

    method: str
    path: str
    target: str


class Response(NamedTuple):
    """A complete response."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


Forward = Callable[[], Response]  # lets the request take effect


class Cut(Exception):  # noqa: N818 - an instruction, not an error
    """Close the connection with a reset; if there is a response, send half of it before."""

    def __init__(self, response: Response | None = None) -> None:
        super().__init__()
        self.response = response


FaultRule = Callable[[Request, Forward], Response]  # may raise Cut, before or after forwarding


def no_fault(_: Request, forward: Forward) -> Response:
    """Forward the request unchanged."""
    return forward()


class Proxy(AbstractContextManager["Proxy"]):
    """Serves as soon as it is created. `fault` may be set at any time, and applies to later requests."""

    def __init__(self, endpoint: str) -> None:
        url = urlsplit(endpoint)
        self.upstream = (url.hostname or "", url.port or 80)
        (self._port,) = free_ports(1)
        self.endpoint = f"http://127.0.0.1:{self._port}"
        self.environment = endpoints(self.endpoint)  # directs boto3 to the proxy
        self.fault: FaultRule = no_fault
        self.requests = 0
        self._lock = Lock()
        self._connections: set[socket.socket] = set()
        self._listener = self._listen()

    def __exit__(self, *_: object) -> None:
        self.refuse()

    def refuse(self) -> None:
        """Refuse connections and close open ones. Requests that were forwarded still take effect."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # otherwise the thread in accept keeps it open
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def accept(self) -> None:
        """Accept connections again."""
        self._listener = self._listen()

    def _listen(self) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", self._port), backlog=128)
        Thread(target=self._serve, args=(listener,), name="proxy", daemon=True).start()
        return listener

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                connection, address = listener.accept()
                Thread(target=self._talk, args=(connection, address), daemon=True).start()

    def _talk(self, connection: socket.socket, address: Any) -> None:
        with self._lock:
            self._connections.add(connection)
        try:
            with connection, suppress(OSError, HTTPException):  # one side has disconnected
                _ProxiedConnection(connection, address, self)  # type: ignore[arg-type]  # it uses nothing of a BaseServer
        finally:
            with self._lock:
                self._connections.discard(connection)


class _ProxiedConnection(BaseHTTPRequestHandler):
    """One client connection, with a separate connection to the server."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Proxy  # type: ignore[assignment]
    connection: socket.socket

    def setup(self) -> None:
        super().setup()
        self._up = HTTPConnection(*self.server.upstream, timeout=60)

    def finish(self) -> None:
        self._up.close()
        with suppress(OSError):  # the client has disconnected
            super().finish()

    def __getattr__(self, name: str) -> Any:
        """Handle all methods alike: the base class looks up do_GET, do_PUT and so on."""
        if name.startswith("do_"):
            return self._exchange
        raise AttributeError(name)

    def _exchange(self) -> None:
        self.server.requests += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, self.headers.get("X-Amz-Target", ""))
        try:
            self._respond(self.server.fault(request, lambda: self._forward(body)))
        except Cut as cut:
            if cut.response is not None:
                self._respond(cut.response, cut.response.body[: len(cut.response.body) // 2])
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    def _forward(self, body: bytes) -> Response:
        self._up.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP:
                self._up.putheader(name, value)
        self._up.endheaders(body)
        received = self._up.getresponse()
        return Response(
            received.status, [(n, v) for n, v in received.getheaders() if n.lower() not in HOP], received.read()
        )

    def _respond(self, response: Response, body: bytes | None = None) -> None:
        """Send the response. With `body`, send only that part, under the headers of the whole."""
        self.send_response_only(response.status)
        for name, value in response.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body if body is None else body)

    def log_message(self, *_: Any) -> None:
        """Log nothing."""
