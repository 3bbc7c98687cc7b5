"""An HTTP proxy before the AWS emulator, in which the weather can turn bad.

Laws: in fair weather it changes nothing; what it forwards, it forwards whole and once, even if the client has long
given up; it listens on the loopback address only, on one port that stays its own while it refuses.
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

from functions.local.aws import endpoints
from functions.local.broker.kraft import free_ports

HOP: Final = frozenset({"connection", "expect", "keep-alive"})  # headers between two neighbours, not for the server
RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST and not with FIN


class Request(NamedTuple):
    """What the weather may look at. `target` is DynamoDB's, such as DynamoDB_20120810.UpdateItem; empty on S3."""

    method: str
    path: str
    target: str


class Answer(NamedTuple):
    """A whole answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


Forward = Callable[[], Answer]  # lets the request take effect


class Cut(Exception):  # noqa: N818 - what happens to the connection
    """Close the connection with a reset. With an answer: half of it is sent before."""

    def __init__(self, answer: Answer | None = None) -> None:
        super().__init__()
        self.answer = answer


Weather = Callable[[Request, Forward], Answer]  # may raise Cut, before or after forwarding


def fair(_: Request, forward: Forward) -> Answer:
    """Nothing happens."""
    return forward()


class Proxy(AbstractContextManager["Proxy"]):
    """Serves from the moment it is made. `weather` may be set at any time; it counts for requests that come then."""

    def __init__(self, endpoint: str) -> None:
        to = urlsplit(endpoint)
        self.upstream = (to.hostname or "", to.port or 80)
        (self._port,) = free_ports(1)
        self.endpoint = f"http://127.0.0.1:{self._port}"
        self.environment = endpoints(self.endpoint)  # brings boto3 here
        self.weather: Weather = fair
        self.requests = 0
        self._lock = Lock()
        self._connections: set[socket.socket] = set()
        self._listener = self._listen()

    def __exit__(self, *_: object) -> None:
        self.refuse()

    def refuse(self) -> None:
        """Refuse connections, and cut those that are open. What was forwarded takes effect all the same."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # else the thread in accept would keep it open
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def accept(self) -> None:
        """Take connections again."""
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
            with connection, suppress(OSError, HTTPException):  # either side has gone
                _Exchange(connection, address, self)  # type: ignore[arg-type]  # it asks nothing of a BaseServer
        finally:
            with self._lock:
                self._connections.discard(connection)


class _Exchange(BaseHTTPRequestHandler):
    """One client connection, with one of its own to the server."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Proxy  # type: ignore[assignment]
    connection: socket.socket

    def setup(self) -> None:
        super().setup()
        self._up = HTTPConnection(*self.server.upstream, timeout=60)

    def finish(self) -> None:
        self._up.close()
        with suppress(OSError):  # there is nobody to flush to
            super().finish()

    def __getattr__(self, name: str) -> Any:
        """All methods alike: the base class asks for do_GET, do_PUT and so on."""
        if name.startswith("do_"):
            return self._exchange
        raise AttributeError(name)

    def _exchange(self) -> None:
        self.server.requests += 1
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, self.headers.get("X-Amz-Target", ""))
        try:
            self._answer(self.server.weather(request, lambda: self._forward(body)))
        except Cut as cut:
            if cut.answer is not None:
                self._answer(cut.answer, cut.answer.body[: len(cut.answer.body) // 2])
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)

    def _forward(self, body: bytes) -> Answer:
        self._up.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in HOP:
                self._up.putheader(name, value)
        self._up.endheaders(body)
        got = self._up.getresponse()
        return Answer(got.status, [(n, v) for n, v in got.getheaders() if n.lower() not in HOP], got.read())

    def _answer(self, answer: Answer, body: bytes | None = None) -> None:
        """With `body`, that part of it only, under headers that promise the whole."""
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body if body is None else body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""
