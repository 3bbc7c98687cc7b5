"""Calls over HTTP, against a server whose answers are scripted, and beside botocore's own signatures."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
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

from functions.adapters import direct_calls
from functions.adapters.aws import Aws
from functions.adapters.direct_calls import Calls, ClientCalls, DirectCalls, calls, signed
from functions.adapters.direct_operations import PutItem, PutObject

KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
ITEM: dict[str, Any] = {"TableName": "t", "Item": {"k": {"S": "\u00e9\u4e2d"}}}
OBJECT: dict[str, Any] = {
    "Bucket": "letters", "Key": "logins/reason=failed/t\u00e9 1.json", "Body": b"{}", "ContentType": "application/json",
    "Metadata": {"Tandem.intent": "a b"}, "IfNoneMatch": "*",
}  # fmt: skip
FAILED = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"


class Server(ThreadingHTTPServer):
    """Answers the n-th request with the n-th of `answers`, (status, content), and then with 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[tuple[int, bytes]] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.paths: list[str] = []
        self.connections = 0


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        self.server.connections += 1
        super().setup()

    def do_PUT(self) -> None:
        self.server.paths.append(self.path)
        self.do_POST()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((dict(self.headers.items()), body))
        status, content = self.server.answers.pop(0) if self.server.answers else (200, b"{}")
        if status == 0:  # ends the connection without an answer
            self.close_connection = True
            return
        self.send_response(status)
        if content.startswith(b"<?xml"):  # as S3's errors may be
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (content[:9], content[9:], b""):
                self.wfile.write(b"%x;name=value\r\n%b\r\n" % (len(part), part))
            return
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
    monkeypatch.setattr(direct_calls, "BETWEEN_ATTEMPTS", SimpleNamespace(delay=lambda *_: 0))
    with serving() as running:
        yield running


@pytest.fixture
def puts(server: Server, monkeypatch: pytest.MonkeyPatch) -> DirectCalls:
    return direct(f"http://127.0.0.1:{server.server_port}", monkeypatch)


def direct(
    url: str, monkeypatch: pytest.MonkeyPatch, credentials: Credentials | None = KEYS, read_seconds: float = 60
) -> DirectCalls:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    client = Aws("eu-central-1").dynamodb
    operation = PutItem(client, read_seconds=read_seconds)
    direct_ = calls(client, client.put_item, operation, credentials, None, ThreadPoolExecutor(1))
    assert isinstance(direct_, DirectCalls)
    return direct_


@pytest.fixture
def objects(server: Server, monkeypatch: pytest.MonkeyPatch) -> Calls:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    return Aws("eu-central-1").object_puts


@pytest.mark.parametrize("token", [None, "a/session+token=="])
def test_the_signature_is_botocores(token: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = Credentials("AKIDEXAMPLE", "secret/+", token).get_frozen_credentials()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    now, aws = 1_795_564_799.9, Aws("eu-central-1")
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: _time(now))
    for operation, parameters, auth_class in (
        (PutItem(aws.dynamodb), ITEM, SigV4Auth), (PutObject(aws.s3), OBJECT, S3SigV4Auth),
    ):  # fmt: skip
        request = operation.request(parameters)
        ours = signed(credentials, "eu-central-1", operation.service, request, now)
        theirs = AWSRequest(request.method, f"{request.url}{request.path}", dict(request.headers), request.body)
        theirs.context["payload_signing_enabled"] = True
        auth_class(credentials, operation.service, "eu-central-1").add_auth(theirs)
        assert ours["authorization"] == theirs.headers["Authorization"], operation.name


def _time(now: float) -> Any:
    from datetime import UTC, datetime  # noqa: PLC0415 - for this test only

    return datetime.fromtimestamp(now, UTC)


def test_an_item_is_put_over_one_connection(puts: DirectCalls, server: Server) -> None:
    for _ in range(3):
        puts(**ITEM)
    assert [json.loads(body) for _, body in server.requests] == [ITEM] * 3
    assert server.requests[0][0]["x-amz-target"] == "DynamoDB_20120810.PutItem"
    assert server.connections == 1


def test_each_thread_that_waits_has_a_connection(puts: DirectCalls, server: Server) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: puts(**ITEM), range(200)))
    assert len(server.requests) == 200
    assert server.connections <= 8


def test_a_condition_that_is_not_met_is_botocores_error_with_the_item(puts: DirectCalls, server: Server) -> None:
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
def test_what_passes_is_tried_three_times(puts: DirectCalls, server: Server, answer: tuple[int, bytes]) -> None:
    server.answers = [answer] * 2
    puts(**ITEM)
    assert len(server.requests) == 3
    server.answers = [answer] * 3
    with pytest.raises((ClientError, ConnectionClosedError)):
        puts(**ITEM)
    puts(**ITEM)


def test_a_connection_that_the_server_closes_is_opened_again(puts: DirectCalls, server: Server) -> None:
    server.answers = [(200, b"close")]
    puts(**ITEM)
    puts(**ITEM)
    assert server.connections == 2


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"{}", b"\xff"])
def test_an_answer_that_is_not_dynamodbs_is_an_error_of_parsing(
    puts: DirectCalls, server: Server, content: bytes
) -> None:
    server.answers = [(403, content)]
    with pytest.raises(ResponseParserError):
        puts(**ITEM)


def test_a_server_that_does_not_answer_in_time(monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    puts = direct(f"http://127.0.0.1:{server.server_port}", monkeypatch, read_seconds=0.05)
    monkeypatch.setattr(Handler, "do_POST", lambda handler: handler.rfile.read())
    with pytest.raises(ReadTimeoutError):
        puts(**ITEM)
    assert server.connections == 3


def test_an_address_without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct_calls, "BETWEEN_ATTEMPTS", SimpleNamespace(delay=lambda *_: 0))
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
        assert isinstance(puts, ClientCalls)
        puts(**ITEM)
        puts.begin(**ITEM)()
        stub.assert_no_pending_responses()


def test_an_endpoint_with_tls_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTPS_PROXY", raising=False)
    direct_ = direct("https://dynamodb.eu-central-1.amazonaws.com", monkeypatch)
    assert direct_.tls is not None
    assert direct_.tls.check_hostname
    assert direct_.tls.get_ca_certs()


XML = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>%b</Code><Message>Not &quot;this&quot;</Message></Error>'


def test_an_object_is_put_over_one_connection(objects: Calls, server: Server) -> None:
    for _ in range(2):
        objects(**OBJECT)
    assert server.paths == ["/letters/logins/reason%3Dfailed/t%C3%A9%201.json"] * 2
    headers, body = server.requests[0]
    assert body == b"{}"
    assert (headers["if-none-match"], headers["x-amz-meta-tandem.intent"]) == ("*", "a b")
    assert server.connections == 1


@pytest.mark.parametrize(("code", "status"), [("PreconditionFailed", 412), ("AccessDenied", 403)])
def test_an_error_of_s3_is_botocores(objects: Calls, server: Server, code: str, status: int) -> None:
    server.answers = [(status, XML % code.encode())]
    with pytest.raises(ClientError) as error:
        objects(**OBJECT)
    assert error.value.response["Error"] == {"Code": code, "Message": 'Not "this"'}
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    objects(**OBJECT)
    assert (len(server.requests), server.connections) == (2, 1)


@pytest.mark.parametrize(("code", "status"), [("SlowDown", 503), ("RequestTimeout", 400), ("InternalError", 500)])
def test_what_passes_at_s3_is_tried_again(objects: Calls, server: Server, code: str, status: int) -> None:
    server.answers = [(status, XML % code.encode())] * 2
    objects(**OBJECT)
    assert len(server.requests) == 3


def test_botocore_follows_a_redirect(server: Server, monkeypatch: pytest.MonkeyPatch, objects: Calls) -> None:
    followed: list[Any] = []
    assert isinstance(objects, DirectCalls)
    redirected = replace(objects, method=lambda **parameters: followed.append(parameters))
    server.answers = [(301, XML % b"PermanentRedirect"), (400, XML % b"AuthorizationHeaderMalformed")]
    redirected(**OBJECT)
    redirected(**OBJECT)
    assert followed == [OBJECT] * 2


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff"])
def test_an_answer_that_is_not_s3s_is_an_error_of_parsing(objects: Calls, server: Server, content: bytes) -> None:
    server.answers = [(403, content)]
    with pytest.raises(ResponseParserError):
        objects(**OBJECT)


def test_connections_that_the_server_has_closed_cost_one_attempt(objects: Calls, server: Server) -> None:
    begun = [objects.begin(**OBJECT) for _ in range(6)]
    for wait in begun:
        wait()
    server.answers = [(0, b"")]
    objects(**OBJECT)
    assert len(server.requests) == 8


@pytest.mark.parametrize(
    ("region", "bucket", "begins"),
    [
        ("eu-central-1", "letters", "https://letters.s3.eu-central-1.amazonaws.com/"),
        ("us-east-1", "letters", "https://letters.s3.amazonaws.com/"),
        ("eu-central-1", "with.dots", "https://s3.eu-central-1.amazonaws.com/with.dots/"),
        ("cn-north-1", "letters", "https://letters.s3.cn-north-1.amazonaws.com.cn/"),
    ],
)
def test_objects_go_where_botocore_puts_them(
    monkeypatch: pytest.MonkeyPatch, region: str, bucket: str, begins: str
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    request = PutObject(Aws(region).s3).request(OBJECT | {"Bucket": bucket, "Key": "a/k"})
    assert f"{request.url}{request.path}" == f"{begins}a/k"
    assert request.url == f"https://{request.host}"
