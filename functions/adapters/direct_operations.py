"""The operations that are called over HTTP: DynamoDB's PutItem and S3's PutObject.

Errors: DynamoDB developer guide, "Error handling with DynamoDB"; S3 API reference, "Error responses".
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from html import unescape
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, urlsplit

from botocore.parsers import ResponseParserError
from pydantic_core import to_json

from functions.adapters.direct_calls import Request

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

CONTENT_TYPE: Final = "application/x-amz-json-1.0"
TARGET: Final = "DynamoDB_20120810.PutItem"
CODE: Final = re.compile(rb"<Code>([^<]+)</Code>")
MESSAGE: Final = re.compile(rb"<Message>([^<]*)</Message>")


@dataclass(frozen=True, slots=True)
class PutItem:
    """DynamoDB's. Its timeout is short: DynamoDB normally responds within milliseconds."""

    client: "DynamoDBClient"
    service: str = "dynamodb"
    name: str = "PutItem"
    read_seconds: float = 5.0

    def request(self, parameters: Mapping[str, Any]) -> Request:
        """See DirectOperation."""
        url, body = self.client.meta.endpoint_url, to_json(parameters)
        headers = {"content-type": CONTENT_TYPE, "x-amz-target": TARGET}
        return Request("POST", url, urlsplit(url).netloc, "/", headers, body, sha256(body).hexdigest())

    def error(self, status: int, content: bytes) -> dict[str, Any]:
        """See DirectOperation."""
        try:
            answer: dict[str, Any] = json.loads(content)
            code = answer.pop("__type").rpartition("#")[2]
        except (ValueError, KeyError, AttributeError, TypeError):
            raise ResponseParserError(f"PutItem: status {status}, and no error of DynamoDB") from None
        message = answer.pop("message", None) or answer.pop("Message", "")
        return _error(status, code, message) | answer


class _Bucket(NamedTuple):
    """Where a bucket's objects are: the server, and what comes before their keys."""

    url: str
    host: str
    path: str


@dataclass(frozen=True, slots=True)
class PutObject:
    """S3's, with Bucket, Key, Body, ContentType, Metadata and IfNoneMatch. S3 verifies the body by its digest."""

    client: "S3Client"
    service: str = "s3"
    name: str = "PutObject"
    read_seconds: float = 15.0  # S3 responds after it has received the whole object
    _buckets: dict[str, _Bucket] = field(default_factory=dict)

    def request(self, parameters: Mapping[str, Any]) -> Request:
        """See DirectOperation."""
        bucket, key = self._bucket(parameters), quote(parameters["Key"], safe="/")
        body, digest = parameters["Body"], sha256(parameters["Body"]).hexdigest()
        headers = {
            "content-type": parameters["ContentType"], "if-none-match": parameters["IfNoneMatch"],
            "x-amz-content-sha256": digest,
        }  # fmt: skip
        headers |= {f"x-amz-meta-{name.lower()}": value for name, value in parameters["Metadata"].items()}
        return Request("PUT", bucket.url, bucket.host, f"{bucket.path}{key}", headers, body, digest)

    def error(self, status: int, content: bytes) -> dict[str, Any]:
        """See DirectOperation."""
        code, message = CODE.search(content), MESSAGE.search(content)
        if code is None:
            raise ResponseParserError(f"PutObject: status {status}, and no error of S3")
        return _error(status, _text(code), _text(message) if message else "")

    def _bucket(self, parameters: Mapping[str, Any]) -> _Bucket:
        """Where botocore puts this bucket's objects, which depends on endpoint, region and the bucket's name."""
        name = parameters["Bucket"]
        if name not in self._buckets:
            parts, key = urlsplit(self._url(parameters)), quote(parameters["Key"], safe="/")
            server = f"{parts.scheme}://{parts.netloc}"
            self._buckets[name] = _Bucket(server, parts.netloc, parts.path.removesuffix(key))
        return self._buckets[name]

    def _url(self, parameters: Mapping[str, Any]) -> str:
        """Let botocore prepare a put, and do not send it. A presigned URL has S3's global endpoint instead."""
        thread, events = get_ident(), self.client.meta.events

        def keep(request: Any, **_: Any) -> None:  # noqa: ANN401 - botocore's
            if get_ident() == thread:
                raise _PreparedError(request.url)

        events.register("before-send.s3.PutObject", keep)
        try:
            self.client.put_object(**parameters)
        except _PreparedError as prepared:
            return str(prepared)
        finally:
            events.unregister("before-send.s3.PutObject", keep)
        raise AssertionError  # the put is not sent


class _PreparedError(Exception):
    """Holds the URL of a request instead of sending it."""


def _error(status: int, code: str, message: str) -> dict[str, Any]:
    return {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}


def _text(found: re.Match[bytes]) -> str:
    return unescape(found[1].decode(errors="replace"))
