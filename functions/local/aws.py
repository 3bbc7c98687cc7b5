"""The AWS emulator: moto in a process of its own, with S3, DynamoDB and SQS behind one address.

Laws: it listens on the loopback address only; it lives no longer than its parent, which holds its standard input;
requests take effect one at a time, because moto undoes a failed transaction by putting whole tables back, the writes of
other requests included; under `environment()` boto3 reaches nothing else. Run as a program, this is the emulator.
"""

import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from copy import deepcopy
from datetime import datetime
from io import BytesIO
from pathlib import Path
from threading import Lock, Thread
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

SERVICES = ("S3", "DYNAMODB", "SQS", "SECRETS_MANAGER", "STS", "CLOUDFORMATION", "CLOUDWATCH", "KAFKA", "LAMBDA", "SSM")

At = tuple[DynamoType, DynamoType | None]


class LocalAws(AbstractContextManager["LocalAws"]):
    """A running emulator, empty at first, gone after `stop` or with this process."""

    def __init__(self, region: str = "us-east-1", start_seconds: float = 30) -> None:
        """Start it and wait until it listens: TimeoutError or RuntimeError, with what it said, where it does not."""
        self.region = region
        self._home = tempfile.TemporaryDirectory(prefix="tandem-aws-")
        self._log, self._config = Path(self._home.name) / "log", Path(self._home.name) / "config"
        self._config.write_text("[default]\n")  # boto3 refuses a profile that is named and not there
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
                start_new_session=True,  # ctrl-C is for the parent, which stops things in order
            )  # fmt: skip
        try:
            self.endpoint = f"http://127.0.0.1:{self._port(start_seconds)}"
        except BaseException:
            self.stop()
            raise

    def environment(self) -> dict[str, str]:
        """What to add to a process's environment. It also overrides what a developer's own environment may hold."""
        return endpoints(self.endpoint) | {
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
            "AWS_USE_FIPS_ENDPOINT": "false",
            "AWS_USE_DUALSTACK_ENDPOINT": "false",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": "local",
            "AWS_CREDENTIAL_EXPIRATION": "",
            "AWS_CONFIG_FILE": str(self._config),
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_PROFILE": "default",
            "AWS_DEFAULT_PROFILE": "default",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }  # fmt: skip

    def stop(self) -> None:
        """Idempotent; what it held is lost."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._home.cleanup()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _port(self, seconds: float) -> int:
        stdout = self._process.stdout
        if stdout is None or not select.select([stdout], [], [], seconds)[0]:
            raise TimeoutError(f"the AWS emulator did not listen within {seconds:g} s")
        if line := stdout.readline():
            return int(line)
        raise RuntimeError(f"the AWS emulator did not start:\n{self._log.read_text(errors='replace')[-2000:]}")


def endpoints(address: str) -> dict[str, str]:
    """The variables that bring boto3 to an address: the emulator's, or that of a proxy before it."""
    return {f"AWS_ENDPOINT_URL_{service}": address for service in SERVICES} | {"AWS_ENDPOINT_URL": address}


class Dispatcher(DomainDispatcherApplication):
    """Moto's looks at a hundred folders for each request to find the backend: this one remembers."""

    def __init__(self) -> None:
        super().__init__(_application)
        self._backends: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:  # noqa: ANN401 - moto's signature
        """The name of the backend."""
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]


class Handler(MotoRequestHandler):
    """Keeps connections, where werkzeug's closes each one after waiting 10 ms for more; writes no request log."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    one_at_a_time = Lock()

    def run_wsgi(self) -> None:
        """Answer one request. Only a long poll may wait beside the others."""
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
        """Nothing."""


def transact(
    self: DynamoDBBackend,
    transact_items: list[dict[str, Any]],
    moto: Callable[[DynamoDBBackend, list[dict[str, Any]]], None] = DynamoDBBackend.transact_write_items,
) -> None:
    """Moto's, with its own undo: moto copies the whole table for each item, so that time grows with the table."""
    before = [touched for item in transact_items for touched in _touched(self, *item.values())]
    try:
        moto(self, transact_items)
    except Exception:
        for table, at, item in before:
            _put_back(table, at, item)
        raise


def _touched(backend: DynamoDBBackend, operation: dict[str, Any]) -> Iterator[tuple[Table, At, Item | None]]:
    if table := backend.tables.get(operation["TableName"]):
        at = backend.get_keys_value(table, operation.get("Key") or operation["Item"])
        yield table, at, deepcopy(table.get_item(*at))


def _put_back(table: Table, at: At, item: Item | None) -> None:
    table.delete_item(*at)
    if item is not None:
        place, key = (table.items, at[0]) if at[1] is None else (table.items[at[0]], at[1])
        cast("dict[DynamoType, Item]", place)[key] = item


def millis(dt: datetime | None = None) -> float:
    """Moto's, but quick for now: moto asks all messages of a queue for their age whenever one more is sent."""
    return time.time() * 1000 if dt is None else unix_time_millis(dt)


def _application(service: SERVICE_NAMES) -> Flask:
    application = create_backend_app(service)
    application.debug = (
        False  # an exception of moto's is a 500 with a traceback on standard error, not a lost connection
    )
    return application


def _die_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    """Listen on a free port, and say on standard output which."""
    DynamoDBBackend.transact_write_items = transact  # type: ignore[method-assign]
    Table.__deepcopy__ = lambda table, _: table  # type: ignore[attr-defined]
    sqs.unix_time_millis = millis  # type: ignore[attr-defined]
    server = make_server("127.0.0.1", 0, Dispatcher(), threaded=True, request_handler=Handler)
    Thread(target=_die_with_parent, daemon=True).start()
    print(server.server_port, flush=True)  # noqa: T201 - this is how the parent learns it
    server.serve_forever()


if __name__ == "__main__":
    main()
