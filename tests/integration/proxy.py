"""A TCP proxy before the AWS emulator that can refuse, and hold a request or its answer: where crashes hurt most."""

import socket
from contextlib import AbstractContextManager, suppress
from threading import Event, Lock, Thread
from typing import Self
from urllib.parse import urlsplit

CHUNK = 64 * 1024


class Proxy(AbstractContextManager["Proxy"]):
    """Listens on a free port of the loopback address until it is closed."""

    def __init__(self, endpoint: str) -> None:
        self._to = urlsplit(endpoint)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port = int(self._listener.getsockname()[1])
        self.endpoint = f"http://127.0.0.1:{self._port}"
        self._connections: set[socket.socket] = set()
        self._lock = Lock()
        self._pattern: bytes | None = None
        self._before = True
        self.holding = Event()
        self._going_on = Event()
        self._accept()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.refuse()

    def hold(self, pattern: bytes, *, before: bool = True) -> None:
        """Hold the first request that contains `pattern`, or else its answer, until `go_on`; `holding` is set then."""
        self.holding.clear()
        self._going_on.clear()
        self._before, self._pattern = before, pattern

    def go_on(self) -> None:
        """Hold nothing any more."""
        self._pattern = None
        self._going_on.set()

    def refuse(self) -> None:
        """Refuse connections, and cut those that are open."""
        self.go_on()
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def accept(self) -> None:
        """Take connections again."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._accept()

    def _accept(self) -> None:
        Thread(target=self._serve, args=(self._listener,), daemon=True).start()

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):  # the listener is closed
            while True:
                client, _ = listener.accept()
                Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        with client, socket.create_connection((self._to.hostname, self._to.port)) as server:
            with self._lock:
                self._connections |= {client, server}
            held = Event()
            answers = Thread(target=self._pump, args=(server, client, held), daemon=True)
            answers.start()
            self._pump(client, server, held, requests=True)
            answers.join()
            with self._lock:
                self._connections -= {client, server}

    def _pump(self, source: socket.socket, to: socket.socket, held: Event, *, requests: bool = False) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                if requests and self._matches(data):
                    held.set()
                if held.is_set() and requests == self._before:
                    self.holding.set()
                    self._going_on.wait()
                    held.clear()
                to.sendall(data)
        for one in (source, to):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _matches(self, data: bytes) -> bool:
        with self._lock:
            found = self._pattern is not None and self._pattern in data
            if found:
                self._pattern = None
        return found
