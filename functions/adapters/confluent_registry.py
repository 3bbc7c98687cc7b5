"""Schemas from Confluent's Schema Registry, or one that speaks its API. Source: "Schema Registry API Reference".

An answer about one ID that is no schema, or none, makes its records rejects. All else is the registry's trouble, or a
proxy's before it: a retry, or a refusal if it would not pass. Redirects are not followed: credentials would go along.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from time import monotonic
from typing import Any, Final
from urllib.parse import quote

from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.exceptions import HTTPError

from functions.core.errors import InvalidSetting, Refused, Unavailable
from functions.core.registries import NoSchema, SchemaId, SchemaType, WriterSchema

TIMEOUT: Final = Timeout(connect=2, read=5)  # seconds
MAX_SECONDS: Final = 15.0  # for one answer, however slowly it comes
MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
MAX_REFERENCES: Final = 200  # of one schema, at all levels
MAX_ID: Final = 2**31 - 1  # the registry's own integers
MISSING: Final = frozenset({40401, 40402, 40403})  # no such subject, version, schema
OK: Final = 200
NOT_FOUND: Final = 404
PASSING: Final = frozenset({408, 425, 429})
ACCEPT: Final = "application/vnd.schemaregistry.v1+json, application/json"


class _Unusable(Exception):  # noqa: N818 - it becomes a NoSchema
    """The registry has no usable schema."""


@dataclass(frozen=True)
class ConfluentRegistry:
    """The registry at `url`. `credentials`: {"username": ..., "password": ...} as JSON, None without authentication."""

    url: str
    credentials: bytes | None = field(default=None, repr=False)
    max_seconds: float = MAX_SECONDS

    def get(self, schema_id: SchemaId) -> WriterSchema | NoSchema:
        """See ports.Schemas."""
        if not isinstance(schema_id, int) or schema_id > MAX_ID:
            return NoSchema("Confluent's IDs are integers of 31 bits")
        try:
            answer = self._get(f"/schemas/ids/{schema_id}")
            references = dict(self._references(answer, {}))
            return WriterSchema(_type(answer), _text(answer), tuple(references.items()))
        except _Unusable as error:
            return NoSchema(str(error))

    def latest(self, subject: str) -> tuple[SchemaId, WriterSchema] | NoSchema:
        """See ports.Schemas."""
        try:
            schema_id = self._get(f"/subjects/{quote(subject, safe='')}/versions/latest").get("id")
        except _Unusable as error:
            return NoSchema(str(error))
        if type(schema_id) is not int or schema_id < 0:
            return NoSchema("the registry's answer has no ID")
        schema = self.get(schema_id)
        return schema if isinstance(schema, NoSchema) else (schema_id, schema)

    def _references(self, answer: dict[str, Any], seen: dict[tuple[str, int], None]) -> Iterator[tuple[str, str]]:
        """Yield name and text of what a schema refers to; what that refers to comes first."""
        references = answer.get("references") or []
        if not isinstance(references, list):
            raise _Unusable("its references are no list")
        for reference in references:
            try:
                name, place = str(reference["name"]), (str(reference["subject"]), int(reference["version"]))
            except (TypeError, KeyError, ValueError):
                raise _Unusable("a reference has no name, subject and version") from None
            if place in seen:
                continue
            seen[place] = None
            if len(seen) > MAX_REFERENCES:
                raise _Unusable(f"it refers to more than {MAX_REFERENCES} schemas")
            referred = self._get(f"/subjects/{quote(place[0], safe='')}/versions/{place[1]}")
            yield from self._references(referred, seen)
            yield name, _text(referred)

    def _get(self, path: str) -> dict[str, Any]:
        """Return the answer to a GET. Raises _Unusable if it is no schema, Unavailable or Refused."""
        try:
            status, body, content_type = self._answer(path)
        except HTTPError as error:
            raise Unavailable(f"schema registry: GET {path}: {type(error).__name__}: {error}") from error
        answer = _parsed(body)
        if status == OK and isinstance(answer, dict):
            return answer
        if status == OK and "json" in content_type:
            raise _Unusable("the registry's answer is no schema")
        code = answer.get("error_code") if isinstance(answer, dict) else None
        if status == NOT_FOUND and code in MISSING:
            raise _Unusable("the registry has none")
        transient = status < 400 or status >= 500 or status in PASSING  # noqa: PLR2004 - HTTP's
        error_class = Unavailable if transient else Refused
        raise error_class(f"schema registry: GET {path}: status {status}, {content_type or 'no content type'}")

    def _answer(self, path: str) -> tuple[int, bytes, str]:
        end = monotonic() + self.max_seconds
        response: BaseHTTPResponse = self._pool.request(
            "GET", self.url.rstrip("/") + path, headers=self._headers, preload_content=False, redirect=False
        )
        try:
            body = self._body(response, end)
        except BaseException:
            response.close()
            raise
        response.release_conn()
        return response.status, body, response.headers.get("content-type", "")

    def _body(self, response: BaseHTTPResponse, end: float) -> bytes:
        body = b""
        while chunk := response.read1(65_536, decode_content=False):
            body += chunk
            if monotonic() > end:
                raise HTTPError(f"no complete answer in {self.max_seconds:g} s")
            if len(body) > MAX_ANSWER_BYTES:
                raise _Unusable(f"the registry's answer has more than {MAX_ANSWER_BYTES} bytes")
        return body

    @cached_property
    def _pool(self) -> PoolManager:
        return PoolManager(maxsize=4, timeout=TIMEOUT, retries=False)

    @cached_property
    def _headers(self) -> dict[str, str]:
        if self.credentials is None:
            return {"accept": ACCEPT}
        try:
            given = json.loads(self.credentials)
            pair = f"{given['username']}:{given['password']}".encode()
        except (ValueError, KeyError, TypeError):
            raise InvalidSetting('TANDEM_REGISTRY_FROM: expected {"username": ..., "password": ...}') from None
        return {"accept": ACCEPT, "authorization": f"Basic {b64encode(pair).decode()}"}


def _parsed(body: bytes) -> object:
    try:
        parsed: object = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return parsed


def _text(answer: dict[str, Any]) -> str:
    text = answer.get("schema")
    if not isinstance(text, str):
        raise _Unusable("the registry's answer has no schema")
    return text


def _type(answer: dict[str, Any]) -> SchemaType:
    name = answer.get("schemaType", SchemaType.AVRO.value)  # omitted for Avro
    try:
        return SchemaType(name)
    except ValueError:
        raise _Unusable(f"its type is {str(name)[:50]!r}") from None
