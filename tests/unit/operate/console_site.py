"""The console on a free port, over a stage in memory, for as long as a test needs it."""

import http.client
import re
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from urllib.parse import urlencode

import uvicorn

from functions.operate.console.security import Protection
from functions.operate.console.server import application
from functions.operate.context import OperatorContext


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Site:
    port: int
    protection: Protection

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, None, headers)

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        form = {"token": self.protection.form_token, **fields}
        return self.ask("POST", path, urlencode(form), {"Content-Type": "application/x-www-form-urlencoded", **headers})

    def ask(self, method: str, path: str, body: str | None, headers: Mapping[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def main(self, path: str) -> str:
        """The content of a page, with one space between words."""
        answer = self.get(path)
        assert answer.status == 200, answer.text
        (content,) = re.findall(r"<main.*</main>", answer.text, re.DOTALL)
        return " ".join(re.sub(r"<[^>]*>", " ", content).split())


@contextmanager
def site(contexts: Mapping[str, OperatorContext], *, may_write: bool, access: str | None = None) -> Iterator[Site]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen()
    port = listening.getsockname()[1]
    protection = Protection(frozenset({f"127.0.0.1:{port}", f"localhost:{port}"}), may_write, access)
    config = uvicorn.Config(
        application("test", contexts, protection), log_level="critical", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield Site(port, protection)
    finally:
        server.should_exit = True
        thread.join(30)
