"""DynamoDB's PutItem over HTTP, without most of botocore's layers.

Why: a table's rows are one conditional put each, and for a put botocore needs more CPU than all else that a record
costs: `make bench` has the ratio, table_row_to_put_item. botocore still finds the endpoint, the credentials and the
certificates, its event hooks are called, and errors are its own. Behind a proxy it makes the whole call.

Signature: AWS, "Create a signed AWS API request". Errors: DynamoDB developer guide, "Error handling with DynamoDB".
"""

import hmac
import json
import random
import socket
import ssl
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, Protocol, cast
from urllib.parse import urlsplit

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.httpsession import get_cert_path
from botocore.parsers import ResponseParserError
from botocore.utils import get_environ_proxies
from pydantic_core import to_json

from functions.adapters.aws_errors import THROTTLED
from functions.core.backoff import Backoff

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials
    from mypy_boto3_dynamodb import DynamoDBClient

ATTEMPTS: Final = 3  # as of the other clients
CONNECT_SECONDS, READ_SECONDS = 2.0, 5.0
BETWEEN_ATTEMPTS: Final = Backoff(initial_seconds=0.05, max_seconds=1.0)
CONTENT_TYPE: Final = "application/x-amz-json-1.0"
TARGET: Final = "DynamoDB_20120810.PutItem"
MAX_LINE: Final = 65_536
HTTP, HTTPS = 80, 443  # ports
TRANSIENT: Final = (ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError)


class ItemPuts(Protocol):
    """DynamoDB's PutItem. Requests are its parameters, errors those of botocore's client."""

    def __call__(self, **request: Any) -> object:  # noqa: ANN401 - PutItem's parameters
        """Put an item."""

    def begin(self, **request: Any) -> Callable[[], object]:  # noqa: ANN401 - see above
        """Begin to put an item; return what waits for the answer, and raises an error."""


def item_puts(
    client: "DynamoDBClient", credentials: "Credentials | None", ca_bundle: str | None, pool: Executor
) -> ItemPuts:
    """Return the fastest puts that reach the client's endpoint. `ca_bundle`: a file, None for botocore's."""
    url = client.meta.endpoint_url
    if get_environ_proxies(url):
        return ClientPuts(client, pool)
    certificates = ca_bundle or get_cert_path(verify=True)
    tls = ssl.create_default_context(cafile=certificates) if url.startswith("https:") else None
    return DirectPuts(client, credentials, tls)


@dataclass(frozen=True, slots=True)
class ClientPuts:
    """Puts items by botocore's client."""

    client: "DynamoDBClient"
    pool: Executor

    def __call__(self, **request: Any) -> object:  # noqa: ANN401 - PutItem's parameters
        """See ItemPuts."""
        return self.client.put_item(**request)

    def begin(self, **request: Any) -> Callable[[], object]:  # noqa: ANN401 - see above
        """See ItemPuts."""
        return self.pool.submit(self, **request).result


class _Connection:
    """A connection to DynamoDB, for one request at a time.

    The standard library's client parses headers as those of an e-mail and sends a request in two packets, which needs
    half the time of a put.
    """

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        sock = socket.create_connection((host, port), CONNECT_SECONDS)
        self._sock = tls.wrap_socket(sock, server_hostname=host) if tls else sock
        self._sock.settimeout(READ_SECONDS)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._file = self._sock.makefile("rb")

    def send(self, headers: Mapping[str, str], body: bytes) -> None:
        """Send a request."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._sock.sendall(f"POST / HTTP/1.1\r\n{lines}content-length: {len(body)}\r\n\r\n".encode() + body)

    def receive(self) -> tuple[int, bytes, bool]:
        """Return the status, the content, and whether the connection can be used again.

        ValueError: it is no HTTP, its length is not given, or a part of it is missing.
        """
        version, status, *_ = self._file.readline(MAX_LINE).split(b" ", 2)
        length, lasts = -1, version == b"HTTP/1.1"
        while line := self._file.readline(MAX_LINE).strip():
            name, _, value = line.lower().partition(b":")
            if name == b"content-length":
                length = int(value)
            elif name == b"connection" and value.strip() == b"close":
                lasts = False
        if length < 0:
            raise ValueError("expected a Content-Length")
        content = self._file.read(length)
        if len(content) < length:
            raise ValueError("the response was cut off")
        return int(status), content, lasts

    def close(self) -> None:
        """Close it. It may be closed already."""
        self._file.close()
        self._sock.close()


@dataclass(frozen=True)
class DirectPuts:
    """Puts items, from any number of threads, each over its own connection. `tls` None: plain HTTP."""

    client: "DynamoDBClient"
    credentials: "Credentials | None"
    tls: ssl.SSLContext | None
    _idle: deque[_Connection] = field(default_factory=deque)

    def __post_init__(self) -> None:
        weakref.finalize(self, _close_all, self._idle)

    def __call__(self, **request: Any) -> None:  # noqa: ANN401 - PutItem's parameters
        """See ItemPuts."""
        self.begin(**request)()

    def begin(self, **request: Any) -> Callable[[], None]:  # noqa: ANN401 - see above
        """See ItemPuts."""
        try:
            connection = self._send(request)
        except Exception as error:  # noqa: BLE001 - raised where the caller waits for the answer
            return partial(self._again, request, error)
        return partial(self._finish, request, connection)

    def _finish(self, request: Mapping[str, Any], connection: _Connection | None) -> None:
        try:
            self._receive(connection)
        except TRANSIENT as error:
            self._again(request, error)

    def _again(self, request: Mapping[str, Any], error: Exception) -> None:
        """Put an item, of which the first attempt ended with an error."""
        for attempt in range(1, ATTEMPTS):
            if not _is_worth_another_attempt(error):
                break
            time.sleep(BETWEEN_ATTEMPTS.delay(attempt, random.random()))  # noqa: S311 - jitter, not a secret
            try:
                return self._receive(self._send(request))
            except TRANSIENT as another:
                error = another
        raise error

    def _send(self, request: Mapping[str, Any]) -> _Connection | None:
        """Send a request; return the connection of the answer, None if one of botocore's hooks has answered."""
        events: Any = self.client.meta.events  # the stubs lack a method
        model = self.client.meta.service_model.operation_model("PutItem")
        events.emit("provide-client-params.dynamodb.PutItem", params=request, model=model, context={})
        events.emit("before-parameter-build.dynamodb.PutItem", params=request, model=model, context={})
        body = to_json(request)
        call = {"url_path": "/", "method": "POST", "headers": {}, "body": body, "context": {}}
        _, answer = events.emit_until_response(
            "before-call.dynamodb.PutItem", model=model, params=call, request_signer=None, context={}
        )
        if answer is not None:
            _raise_for(answer[0].status_code, answer[1])
            return None
        headers = self._headers(body)
        connection = self._connection()
        with self._using(connection):
            connection.send(headers, body)
        return connection

    def _receive(self, connection: _Connection | None) -> None:
        if connection is None:
            return
        with self._using(connection):
            status, content, lasts = connection.receive()
        if lasts:
            self._idle.append(connection)
        else:
            connection.close()
        if status != 200:  # noqa: PLR2004 - HTTP's
            _raise_for(status, _parsed(status, content))

    @contextmanager
    def _using(self, connection: _Connection) -> Iterator[None]:
        """Close the connection on an error, and raise botocore's."""
        url = self.client.meta.endpoint_url
        try:
            yield
        except (OSError, ValueError) as error:
            connection.close()
            error_class = ReadTimeoutError if isinstance(error, TimeoutError) else ConnectionClosedError
            raise error_class(endpoint_url=url, error=error) from error

    def _connection(self) -> _Connection:
        try:
            return self._idle.pop()
        except IndexError:
            url = urlsplit(self.client.meta.endpoint_url)
        try:
            return _Connection(url.hostname or "", url.port or (HTTPS if self.tls else HTTP), self.tls)
        except OSError as error:
            raise EndpointConnectionError(endpoint_url=self.client.meta.endpoint_url, error=error) from error

    def _headers(self, body: bytes) -> dict[str, str]:
        if self.credentials is None:
            raise NoCredentialsError
        credentials = self.credentials.get_frozen_credentials()
        host = urlsplit(self.client.meta.endpoint_url).netloc
        return signed(credentials, self.client.meta.region_name, host, time.time(), body)


def _close_all(connections: Iterable[_Connection]) -> None:
    for connection in connections:
        connection.close()


def signed(credentials: "ReadOnlyCredentials", region: str, host: str, now: float, body: bytes) -> dict[str, str]:
    """Return the headers of a request, with its signature. `now` in Unix seconds."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    headers = {"content-type": CONTENT_TYPE, "host": host, "x-amz-date": stamp}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    headers["x-amz-target"] = TARGET
    names, day = ";".join(headers), stamp[:8]
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"POST\n/\n\n{lines}\n{names}\n{sha256(body).hexdigest()}"
    scope = f"{day}/{region}/dynamodb/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(_signing_key(credentials.secret_key or "", day, region), text.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


@lru_cache(maxsize=1)
def _signing_key(secret: str, day: str, region: str) -> bytes:
    """Return the key that is derived from a secret for one day, one region and DynamoDB."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, "dynamodb", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _parsed(status: int, content: bytes) -> dict[str, Any]:
    """Return an error's content as botocore does: `Error` with code and message, and what else it has."""
    try:
        answer = json.loads(content)
        code = answer.pop("__type").rpartition("#")[2]
    except (ValueError, KeyError, AttributeError, TypeError):
        raise ResponseParserError(f"PutItem: status {status}, and no error of DynamoDB") from None
    message = answer.pop("message", None) or answer.pop("Message", "")
    return {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}, **answer}


def _raise_for(status: int, answer: Mapping[str, Any]) -> None:
    if status >= 300:  # noqa: PLR2004 - HTTP's
        raise ClientError(cast("Any", answer), "PutItem")


def _is_worth_another_attempt(error: Exception) -> bool:
    if not isinstance(error, ClientError):
        return isinstance(error, TRANSIENT)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or error.response.get("Error", {}).get("Code") in THROTTLED  # noqa: PLR2004 - HTTP's
