"""S3 and DynamoDB in one process that answers immediately: `python -m sandbox.bench.stores.server FILE`.

With it a benchmark measures what a client costs, and not the stores. It keeps what is written, so that conditions are
met or fail as in DynamoDB. It listens on the loopback address, and writes its port to FILE.

`GET /-/state?stage=S` returns what was settled in a stage, and how often each operation was called;
`POST /-/expect?stage=S&next=N` makes it note, as `reached`, when the stage's ledger has come to N (seconds of the
monotonic clock, which all processes of a machine share).
"""

import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.bench.stores.expressions import Unsupported
from sandbox.bench.stores.tables import Refused, Tables

CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
REASONS: Final = {200: b"OK", 400: b"Bad Request", 404: b"Not Found", 412: b"Precondition Failed"}
DYNAMODB: Final = "application/x-amz-json-1.0"
XML: Final = "application/xml"
QUEUE: Final = b'{"QueueUrl": "http://127.0.0.1/queue", "Attributes": {"QueueArn": "arn:aws:sqs:us-east-1:0:queue"}}'
ADVANCES: Final = ("TransactWriteItems", "UpdateItem", "BatchExecuteStatement")

Headers = dict[str, str]
Reply = tuple[int, str, bytes, tuple[tuple[str, str], ...]]


@dataclass(slots=True)
class Stores:
    """The content of the stores. Objects keep their bodies only in buckets from which they are read."""

    tables: Tables = field(default_factory=Tables)
    objects: dict[str, bytes] = field(default_factory=dict)
    puts: Counter[str] = field(default_factory=Counter)
    expected: dict[str, int] = field(default_factory=dict)
    reached: dict[str, float] = field(default_factory=dict)

    def reply(self, method: str, target: str, headers: Headers, body: bytes) -> Reply:
        """Answer one request."""
        operation = headers.get("x-amz-target")
        if operation is not None and operation.startswith("AmazonSQS"):
            return 200, DYNAMODB, QUEUE, ()  # sandbox.stores creates a queue; nothing is sent to it
        if operation is not None:
            return self._dynamodb(operation.rpartition(".")[2], body)
        url = urlsplit(target)
        if url.path.startswith("/-/"):
            return self._control(url.path, dict(parse_qsl(url.query)))
        return self._s3(method, unquote(url.path), headers, body)

    def _dynamodb(self, operation: str, body: bytes) -> Reply:
        try:
            response = self.tables.call(operation, json.loads(body))
        except Refused as error:
            return 400, DYNAMODB, json.dumps(error.body).encode(), ()
        except (Unsupported, KeyError) as error:
            text = f"the benchmark's server cannot {operation}: {error!r}"
            failed = {"__type": "com.amazon.coral.validate#ValidationException", "message": text}
            return 400, DYNAMODB, json.dumps(failed).encode(), ()
        if self.expected and operation in ADVANCES:
            self._note()
        return 200, DYNAMODB, json.dumps(response).encode(), ()

    def _note(self) -> None:
        for stage, target in list(self.expected.items()):
            if self.tables.positions(stage) >= target:
                self.reached[stage] = time.monotonic()
                del self.expected[stage]

    def _s3(self, method: str, path: str, headers: Headers, body: bytes) -> Reply:
        if method == "PUT":
            if headers.get("if-none-match") == "*" and path in self.objects:
                return 412, XML, b"<Error><Code>PreconditionFailed</Code></Error>", ()
            self.puts[path.split("/", 2)[1]] += 1
            self.objects[path] = unchunked(body) if "aws-chunked" in headers.get("content-encoding", "") else body
            return 200, XML, b"", (("ETag", '"0"'),)
        if method in {"GET", "HEAD"} and path in self.objects:
            return 200, "application/octet-stream", self.objects[path], (("ETag", '"0"'),)
        if method in {"GET", "HEAD"}:
            return 404, XML, b"<Error><Code>NoSuchKey</Code></Error>", ()
        return 200, XML, b"", ()

    def _control(self, path: str, query: dict[str, str]) -> Reply:
        stage = query["stage"]
        if path == "/-/expect":
            self.expected[stage] = int(query["next"])
            self.reached.pop(stage, None)
            self._note()
        state: dict[str, Any] = {
            "settled": self.tables.positions(stage),
            "reached": self.reached.get(stage),
            "calls": dict(self.tables.calls),
            "puts": dict(self.puts),
            "rows": self.tables.rows,
            "unread": self.tables.unread,
        }
        return 200, "application/json", json.dumps(state).encode(), ()


def unchunked(body: bytes) -> bytes:
    """Return what an `aws-chunked` body holds: each chunk follows its length in hex and a signature."""
    content, begin = bytearray(), 0
    while True:
        end = body.index(b"\r\n", begin)
        length = int(body[begin:end].partition(b";")[0], 16)
        if not length:
            return bytes(content)
        content += body[end + 2 : end + 2 + length]
        begin = end + 4 + length


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._buffer = bytearray()
        self._head: tuple[str, str, Headers, int] | None = None
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._buffer += data
        while self._head is not None or self._read_head():
            assert self._head is not None  # noqa: S101 - just read
            method, target, headers, length = self._head
            if len(self._buffer) < length:
                return
            body = bytes(self._buffer[:length])
            del self._buffer[:length]
            self._head = None
            self._send(self._stores.reply(method, target, headers, body), with_body=method != "HEAD")

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return False
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        del self._buffer[: end + 4]
        method, target, _ = first.split(" ", 2)
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if headers.get("expect", "").lower() == "100-continue":
            self._transport.write(CONTINUE)
        self._head = method, target, headers, int(headers.get("content-length", 0))
        return True

    def _send(self, reply: Reply, *, with_body: bool) -> None:
        status, content_type, body, extra = reply
        more = "".join(f"{name}: {value}\r\n" for name, value in extra)
        head = f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{more}x-amzn-RequestId: 0\r\n\r\n"
        self._transport.write(b"HTTP/1.1 %d %s\r\n" % (status, REASONS[status]) + head.encode() + body * with_body)


async def serve(file: Path) -> None:
    """Listen until cancelled, and write the port to a file that appears complete."""
    stores = Stores()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(stores), "127.0.0.1", 0)
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(str(server.sockets[0].getsockname()[1]))
    unfinished.rename(file)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
