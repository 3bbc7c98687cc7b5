"""The AWS emulator's process: moto with S3, DynamoDB and SQS at one address, `python -m sandbox.moto_server FILE`.

Laws: it listens on the loopback address only; requests take effect one at a time, because moto undoes a failed
transaction by restoring whole tables, including the writes of other requests.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from copy import deepcopy
from datetime import datetime
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import Any, cast

from flask import Flask
from moto.backends import SERVICE_NAMES
from moto.core.utils import unix_time_millis
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from moto.sqs import models as sqs
from werkzeug.serving import make_server

Key = tuple[DynamoType, DynamoType | None]


class Dispatcher(DomainDispatcherApplication):
    """Caches the backend of each host, which moto searches in a hundred folders for every request."""

    def __init__(self) -> None:
        super().__init__(_application)
        self._backends: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:  # noqa: ANN401 - moto's signature
        """Return the name of the backend."""
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]


class RequestHandler(MotoRequestHandler):
    """Keeps connections open, where werkzeug waits 10 ms for more input and closes each; writes no request log."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    one_at_a_time = Lock()

    def run_wsgi(self) -> None:
        """Answer one request. Only long polls run concurrently with others."""
        environ = self.make_environ()
        if "wsgi.input_terminated" not in environ:
            environ["wsgi.input"] = BytesIO(self.rfile.read(int(environ.get("CONTENT_LENGTH") or 0)))
        started: list[Any] = []
        polls = environ.get("HTTP_X_AMZ_TARGET") == "AmazonSQS.ReceiveMessage"
        with nullcontext() if polls else self.one_at_a_time:
            body = b"".join(self.server.app(environ, lambda *given: started.extend(given)))  # type: ignore[arg-type]
        self._send(started[0], started[1], body)

    def _send(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write no request log."""


def transact(
    self: DynamoDBBackend,
    transact_items: list[dict[str, Any]],
    moto: Callable[[DynamoDBBackend, list[dict[str, Any]]], None] = DynamoDBBackend.transact_write_items,
) -> None:
    """Call moto's, and undo a failed transaction item by item: moto copies the whole table once per item."""
    before = [touched for item in transact_items for touched in _touched(self, *item.values())]
    try:
        moto(self, transact_items)
    except Exception:
        for table, key, item in before:
            _put_back(table, key, item)
        raise


def _touched(backend: DynamoDBBackend, operation: dict[str, Any]) -> Iterator[tuple[Table, Key, Item | None]]:
    if table := backend.tables.get(operation["TableName"]):
        key = backend.get_keys_value(table, operation.get("Key") or operation["Item"])
        yield table, key, deepcopy(table.get_item(*key))


def _put_back(table: Table, key: Key, item: Item | None) -> None:
    table.delete_item(*key)
    if item is not None:
        items, name = (table.items, key[0]) if key[1] is None else (table.items[key[0]], key[1])
        cast("dict[DynamoType, Item]", items)[name] = item


def millis(dt: datetime | None = None) -> float:
    """Return Unix milliseconds, fast for now: moto computes the age of every message whenever one is sent."""
    return time.time() * 1000 if dt is None else unix_time_millis(dt)


def _application(service: SERVICE_NAMES) -> Flask:
    application = create_backend_app(service)
    application.debug = False  # an exception in moto becomes a 500 and a traceback in the log, not a lost connection
    return application


def main(file: Path) -> None:
    """Listen on a free port, and write its number to a file that appears complete."""
    DynamoDBBackend.transact_write_items = transact  # type: ignore[method-assign]
    Table.__deepcopy__ = lambda table, _: table  # type: ignore[attr-defined]
    sqs.unix_time_millis = millis  # type: ignore[attr-defined]
    server = make_server("127.0.0.1", 0, Dispatcher(), threaded=True, request_handler=RequestHandler)
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(str(server.server_port))
    unfinished.rename(file)
    server.serve_forever()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
