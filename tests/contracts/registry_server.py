"""A schema registry over HTTP that speaks Confluent's API, as far as it is documented, and can be told to misbehave."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

TYPE = "application/vnd.schemaregistry.v1+json"


@dataclass
class RegistryServer:
    """`answers`: path -> JSON. `faults`: (status, content type, body), each for one request, before any answer."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    faults: list[tuple[int, str, bytes]] = field(default_factory=list)
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    drip_seconds: float = 0

    def register(self, schema_id: int, subject: str, schema: str, **more: Any) -> None:
        answer = {"schema": schema} | more
        self.answers[f"/schemas/ids/{schema_id}"] = answer
        version = answer | {"subject": subject, "version": 1, "id": schema_id}
        self.answers |= {f"/subjects/{subject}/versions/{number}": version for number in ("1", "latest")}

    def answer(self, path: str) -> tuple[int, str, bytes]:
        if self.faults:
            return self.faults.pop(0)
        if path in self.answers:
            return 200, TYPE, json.dumps(self.answers[path]).encode()
        if path.startswith(("/schemas/ids/", "/subjects/")):
            return 404, TYPE, b'{"error_code": 40403, "message": "Schema not found"}'
        return 404, "text/html", b"<html>"


@contextmanager
def registry_server() -> Iterator[RegistryServer]:
    """Run a registry on loopback."""
    registry = RegistryServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            registry.requests.append((self.path, self.headers.get("authorization")))
            status, content_type, body = registry.answer(self.path)
            self.send_response(status)
            self.send_header("content-type", content_type)
            if 300 <= status < 400:
                self.send_header("location", "/elsewhere")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            if registry.drip_seconds:
                for byte in body:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(registry.drip_seconds)
            else:
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:
                return  # the client hung up

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    registry.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield registry
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
