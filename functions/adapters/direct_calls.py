"""Requests to AWS over HTTP, without most of botocore's layers.

Why: rows of tables and dead letters are one request each, and for a request botocore needs more CPU than all else that
a record costs: `make bench` has the ratios table_row_to_put_item and rejects_half_to_none. botocore still finds the
endpoint, the credentials and the certificates, its event hooks are called, and errors are its own. It makes the whole
call behind a proxy, and to a bucket that is in another region.

Signature: AWS, "Create a signed AWS API request".
"""

import hmac
import random
import ssl
import time
import weakref
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache, partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.httpsession import get_cert_path
from botocore.utils import get_environ_proxies

from functions.adapters.aws_errors import NOT_ARRIVED, THROTTLED
from functions.adapters.direct_connection import ServerConnection
from functions.core.backoff import Backoff

if TYPE_CHECKING:
    from botocore.credentials import Credentials, ReadOnlyCredentials

ATTEMPTS: Final = 3  # as of the other clients
BETWEEN_ATTEMPTS: Final = Backoff(initial_seconds=0.05, max_seconds=1.0)
TRANSIENT: Final = (ClientError, ConnectionClosedError, EndpointConnectionError, ReadTimeoutError)


class Request(NamedTuple):
    """A request to be signed. `url` is that of the server, `path` is encoded; header names are in lower case."""

    method: str
    url: str
    host: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    digest: str  # SHA-256 of the body, in hexadecimal digits


class DirectOperation(Protocol):
    """One of a service's operations. Parameters are those of botocore's client."""

    @property
    def service(self) -> str:
        """The service's name in signatures and hooks."""

    @property
    def name(self) -> str:
        """The operation's name, such as PutItem."""

    @property
    def read_seconds(self) -> float:
        """The timeout of the answer."""

    def request(self, parameters: Mapping[str, Any]) -> Request:
        """Return the request with these parameters."""

    def error(self, status: int, content: bytes) -> dict[str, Any]:
        """Return an error's content as botocore does. Raises ResponseParserError if the service did not write it."""


class Calls(Protocol):
    """Calls of one operation. Parameters and errors are those of botocore's client."""

    def __call__(self, **parameters: Any) -> object:  # noqa: ANN401 - the operation's own
        """Call it."""

    def begin(self, **parameters: Any) -> Callable[[], object]:  # noqa: ANN401 - see above
        """Begin a call; return what waits for the answer, and raises an error."""


def calls(  # noqa: PLR0913, PLR0917 - what botocore has found out
    client: Any,  # noqa: ANN401 - any service's
    method: Callable[..., object],
    operation: DirectOperation,
    credentials: "Credentials | None",
    ca_bundle: str | None,
    pool: Executor,
) -> Calls:
    """Return the fastest calls that reach the client's endpoint. `ca_bundle`: a file, None for botocore's.

    `method` is the client's own for this operation.
    """
    url = client.meta.endpoint_url
    if get_environ_proxies(url):
        return ClientCalls(method, pool)
    certificates = ca_bundle or get_cert_path(verify=True)
    tls = ssl.create_default_context(cafile=certificates) if url.startswith("https:") else None
    return DirectCalls(client, method, operation, credentials, tls)


@dataclass(frozen=True, slots=True)
class ClientCalls:
    """Calls of a method of botocore's client."""

    method: Callable[..., object]
    pool: Executor

    def __call__(self, **parameters: Any) -> object:  # noqa: ANN401 - the operation's own
        """See Calls."""
        return self.method(**parameters)

    def begin(self, **parameters: Any) -> Callable[[], object]:  # noqa: ANN401 - see above
        """See Calls."""
        return self.pool.submit(self, **parameters).result


@dataclass(frozen=True)
class DirectCalls:
    """Calls from any number of threads, each over its own connection. `tls` None: plain HTTP."""

    client: Any
    method: Callable[..., object]
    operation: DirectOperation
    credentials: "Credentials | None"
    tls: ssl.SSLContext | None
    _idle: deque[ServerConnection] = field(default_factory=deque)

    def __post_init__(self) -> None:
        weakref.finalize(self, _close_all, self._idle)

    def __call__(self, **parameters: Any) -> None:  # noqa: ANN401 - the operation's own
        """See Calls."""
        self.begin(**parameters)()

    def begin(self, **parameters: Any) -> Callable[[], None]:  # noqa: ANN401 - see above
        """See Calls."""
        try:
            connection = self._send(parameters)
        except Exception as error:  # noqa: BLE001 - raised where the caller waits for the answer
            return partial(self._again, parameters, error)
        return partial(self._finish, parameters, connection)

    def _finish(self, parameters: Mapping[str, Any], connection: ServerConnection | None) -> None:
        try:
            self._receive(connection)
        except TRANSIENT as error:
            self._again(parameters, error)

    def _again(self, parameters: Mapping[str, Any], error: Exception) -> None:
        """Make a call, of which the first attempt ended with an error. The client follows redirects."""
        if _is_redirect(error):
            self.method(**parameters)
            return
        for attempt in range(1, ATTEMPTS):
            if not _is_worth_another_attempt(error):
                break
            time.sleep(BETWEEN_ATTEMPTS.delay(attempt, random.random()))  # noqa: S311 - jitter, not a secret
            try:
                self._receive(self._send(parameters))
            except TRANSIENT as another:
                error = another
            else:
                return
        raise error

    def _send(self, parameters: Mapping[str, Any]) -> ServerConnection | None:
        """Send a request; return the connection of the answer, None if one of botocore's hooks has answered."""
        name = f"{self.operation.service}.{self.operation.name}"
        events, model = self.client.meta.events, self.client.meta.service_model.operation_model(self.operation.name)
        events.emit(f"provide-client-params.{name}", params=parameters, model=model, context={})
        request = self.operation.request(parameters)
        call = {
            "url_path": request.path, "method": request.method, "headers": dict(request.headers), "body": request.body,
            "context": {},
        }  # fmt: skip
        _, answer = events.emit_until_response(
            f"before-call.{name}", model=model, params=call, request_signer=None, context={}
        )
        if answer is not None:
            self._raise_for(answer[0].status_code, answer[1])
            return None
        if self.credentials is None:
            raise NoCredentialsError
        credentials, region = self.credentials.get_frozen_credentials(), self.client.meta.region_name
        headers = signed(credentials, region, self.operation.service, request, time.time())
        connection = self._connection(request)
        with self._using(connection):
            connection.send(request.method, request.path, headers, request.body)
        return connection

    def _receive(self, connection: ServerConnection | None) -> None:
        if connection is None:
            return
        with self._using(connection):
            status, content, lasts = connection.receive()
        if lasts:
            self._idle.append(connection)
        else:
            connection.close()
        if status >= 300:  # noqa: PLR2004 - HTTP's
            self._raise_for(status, self.operation.error(status, content))

    @contextmanager
    def _using(self, connection: ServerConnection) -> Iterator[None]:
        """Close the connection on an error, and those that wait: they may be as old. Raises botocore's error."""
        try:
            yield
        except (OSError, ValueError) as error:
            connection.close()
            _close_all(self._idle)
            error_class = ReadTimeoutError if isinstance(error, TimeoutError) else ConnectionClosedError
            raise error_class(endpoint_url=connection.url, error=error) from error

    def _connection(self, request: Request) -> ServerConnection:
        """Return a connection that waits, or open one. A process has one bucket for an operation, so one server."""
        try:
            connection = self._idle.pop()
        except IndexError:
            pass
        else:
            if connection.url == request.url:
                return connection
            connection.close()
        try:
            return ServerConnection(request.url, self.tls, self.operation.read_seconds)
        except OSError as error:
            raise EndpointConnectionError(endpoint_url=request.url, error=error) from error

    def _raise_for(self, status: int, answer: Any) -> None:  # noqa: ANN401 - botocore's
        if status >= 300:  # noqa: PLR2004 - HTTP's
            raise ClientError(answer, self.operation.name)


def _close_all(connections: deque[ServerConnection]) -> None:
    while connections:
        connections.pop().close()


def signed(
    credentials: "ReadOnlyCredentials", region: str, service: str, request: Request, now: float
) -> dict[str, str]:
    """Return the headers of a request, with its signature. `now` in Unix seconds."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    headers = {**request.headers, "host": request.host, "x-amz-date": stamp}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    names, day = sorted(headers), stamp[:8]
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    canonical = f"{request.method}\n{request.path}\n\n{lines}\n{';'.join(names)}\n{request.digest}"
    scope = f"{day}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
    key = _signing_key(credentials.secret_key or "", day, region, service)
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={';'.join(names)}, "
        f"Signature={hmac.digest(key, text.encode(), 'sha256').hex()}"
    )
    return headers


@lru_cache(maxsize=4)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    """Return the key that is derived from a secret for one day, one region and one service."""
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _is_redirect(error: Exception) -> bool:
    """Whether another server has what the request is for: S3 user guide, "Making requests using the REST API"."""
    return isinstance(error, ClientError) and (
        300 <= _status(error) < 400 or error.response["Error"].get("Code") == "AuthorizationHeaderMalformed"  # noqa: PLR2004
    )


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _is_worth_another_attempt(error: Exception) -> bool:
    if not isinstance(error, ClientError):
        return isinstance(error, TRANSIENT)
    code = error.response.get("Error", {}).get("Code")
    return _status(error) >= 500 or code in THROTTLED or code in NOT_ARRIVED  # noqa: PLR2004 - HTTP's
