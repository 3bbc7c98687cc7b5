"""PutItem over HTTP, against a server whose answers are scripted, and beside botocore's own signature."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError
from botocore.stub import Stubber

from functions.adapters import direct_puts
from functions.adapters.aws import Aws
from functions.adapters.direct_puts import ClientPuts, DirectPuts, item_puts, signed

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
ITEM: dict[str, Any] = {"TableName": "t", "Item": {"k": {"S": "\u00e9\u4e2d"}}}
FAILED = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"


class Server(ThreadingHTTPServer):
    """Answers the n-th request with the n-th of `answers`, (status, content), and then with 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, bytes]] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.connections = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        self.server.connections += 1
        super().setup()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((dict(self.headers.items()), body))
        status, content = self.server.answers.pop(0) if self.server.answers else (200, b"{}")
        if status == 0:  # ends the connection without an answer
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) + (content == b"cut off")))
        if content == b"close":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
        self.close_connection |= content == b"cut off"

    def log_message(self, *_: Any) -> None:
        """Write no log."""


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(direct_puts, "BETWEEN_ATTEMPTS", SimpleNamespace(delay=lambda *_: 0))
    with serving() as running:
        yield running


@pytest.fixture
def puts(server: Server, monkeypatch: pytest.MonkeyPatch) -> DirectPuts:
    return direct(f"http://127.0.0.1:{server.server_port}", monkeypatch)


def direct(url: str, monkeypatch: pytest.MonkeyPatch, credentials: Credentials | None = KEYS) -> DirectPuts:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    direct_ = item_puts(Aws("eu-central-1").dynamodb, credentials, None, ThreadPoolExecutor(1))
    assert isinstance(direct_, DirectPuts)
    return direct_


@pytest.mark.parametrize("token", [None, "a/session+token=="])
def test_the_signature_is_botocores(token: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = Credentials("AKIDEXAMPLE", "secret/+", token).get_frozen_credentials()
    body, now = json.dumps(ITEM).encode(), 1_795_564_799.9
    ours = signed(credentials, "eu-central-1", "dynamodb.eu-central-1.amazonaws.com", now, body)
    headers = {"Content-Type": direct_puts.CONTENT_TYPE, "X-Amz-Target": direct_puts.TARGET}
    request = AWSRequest("POST", "https://dynamodb.eu-central-1.amazonaws.com/", headers, body)
    request.context["timestamp"] = ours["x-amz-date"]
    auth = SigV4Auth(credentials, "dynamodb", "eu-central-1")
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: _time(now))
    auth.add_auth(request)
    assert ours["authorization"] == request.headers["Authorization"]


def _time(now: float) -> Any:
    from datetime import UTC, datetime  # noqa: PLC0415 - for this test only

    return datetime.fromtimestamp(now, UTC)


def test_an_item_is_put_over_one_connection(puts: DirectPuts, server: Server) -> None:
    for _ in range(3):
        puts(**ITEM)
    assert [json.loads(body) for _, body in server.requests] == [ITEM] * 3
    assert server.requests[0][0]["x-amz-target"] == "DynamoDB_20120810.PutItem"
    assert server.connections == 1


def test_each_thread_that_waits_has_a_connection(puts: DirectPuts, server: Server) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: puts(**ITEM), range(200)))
    assert len(server.requests) == 200
    assert server.connections <= 8


def test_a_condition_that_is_not_met_is_botocores_error_with_the_item(puts: DirectPuts, server: Server) -> None:
    answer = {"__type": FAILED, "message": "The conditional request failed", "Item": {"k": {"S": "x"}}}
    server.answers.append((400, json.dumps(answer).encode()))
    with pytest.raises(ClientError) as error:
        puts(**ITEM)
    response: Any = error.value.response
    assert response["Error"] == {"Code": "ConditionalCheckFailedException", "Message": answer["message"]}
    assert response["Item"] == answer["Item"]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "answer",
    [
        (0, b""), (200, b"cut off"), (500, b'{"__type": "x#InternalServerError"}'),
        (400, b'{"__type": "x#ProvisionedThroughputExceededException", "message": "slow down"}'),
    ],
)  # fmt: skip
def test_what_passes_is_tried_three_times(puts: DirectPuts, server: Server, answer: tuple[int, bytes]) -> None:
    server.answers = [answer] * 2
    puts(**ITEM)
    assert len(server.requests) == 3
    server.answers = [answer] * 3
    with pytest.raises((ClientError, ConnectionClosedError)):
        puts(**ITEM)
    puts(**ITEM)


def test_a_connection_that_the_server_closes_is_opened_again(puts: DirectPuts, server: Server) -> None:
    server.answers = [(200, b"close")]
    puts(**ITEM)
    puts(**ITEM)
    assert server.connections == 2


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"{}", b"\xff"])
def test_an_answer_that_is_not_dynamodbs_is_an_error_of_parsing(
    puts: DirectPuts, server: Server, content: bytes
) -> None:
    server.answers = [(403, content)]
    with pytest.raises(ResponseParserError):
        puts(**ITEM)


def test_a_server_that_does_not_answer_in_time(
    monkeypatch: pytest.MonkeyPatch, puts: DirectPuts, server: Server
) -> None:
    monkeypatch.setattr(direct_puts, "READ_SECONDS", 0.05)
    monkeypatch.setattr(Handler, "do_POST", lambda handler: handler.rfile.read())
    with pytest.raises(ReadTimeoutError):
        puts(**ITEM)
    assert server.connections == 3


def test_an_address_without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct_puts, "BETWEEN_ATTEMPTS", SimpleNamespace(delay=lambda *_: 0))
    with pytest.raises(EndpointConnectionError):
        direct("http://127.0.0.1:1", monkeypatch)(**ITEM)


def test_without_credentials_nothing_is_sent(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoCredentialsError):
        direct(f"http://127.0.0.1:{server.server_port}", monkeypatch, None)(**ITEM)
    assert not server.requests


def test_behind_a_proxy_botocore_makes_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    aws = Aws("eu-central-1")
    with Stubber(aws.dynamodb) as stub:
        for _ in range(2):
            stub.add_response("put_item", {}, ITEM)
        puts = aws.item_puts
        assert isinstance(puts, ClientPuts)
        puts(**ITEM)
        puts.begin(**ITEM)()
        stub.assert_no_pending_responses()


def test_an_endpoint_with_tls_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    direct_ = direct("https://dynamodb.eu-central-1.amazonaws.com", monkeypatch)
    assert direct_.tls is not None
    assert direct_.tls.check_hostname
    assert direct_.tls.get_ca_certs()
