"""Records from lines of a file: a line is a value as it stands, or an envelope with key, headers and timestamp."""

import json
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined] # stable, and not in the stubs
from pathlib import Path
from re import compile as pattern
from sys import stdin
from typing import Any, BinaryIO, Final

from functions.core.errors import Misconfigured
from functions.core.slice import Headers

FIELDS: Final = frozenset({"key", "key_base64", "value", "value_base64", "headers", "timestamp"})
NAME_AND_TEXT: Final = 2
SPACE: Final = pattern(r"[ \t\n\r]*")
DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class InputRecord:
    """The record of one line; lines count from 1. `timestamp` in Unix milliseconds, None where the line has none."""

    line: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int | None = None


def read_records(file: Path, *, envelope: bool) -> Iterator[InputRecord]:
    """Yield the record of each line of a file, `-` for standard input. Misconfigured names the file and the line."""
    for number, line in enumerate(_lines(file), 1):
        if not envelope:
            yield InputRecord(number, None, line)
            continue
        try:
            yield _from_envelope(number, line)
        except (ValueError, RecursionError) as error:
            problem = "nested too deeply" if isinstance(error, RecursionError) else error
            raise Misconfigured(f"{file}: line {number}: {problem}") from None


def _lines(file: Path) -> Iterator[bytes]:
    try:
        if str(file) == "-":
            yield from _content(stdin.buffer)
        else:
            with file.open("rb") as opened:
                yield from _content(opened)
    except OSError as error:
        raise Misconfigured(f"{file}: {error.strerror or error}") from None


def _content(opened: BinaryIO) -> Iterator[bytes]:
    return (line.removesuffix(b"\n") for line in opened)


def _from_envelope(number: int, line: bytes) -> InputRecord:
    texts = _members(line.decode())
    unknown = texts.keys() - FIELDS
    if unknown:
        raise ValueError(f"expected an envelope of {', '.join(sorted(FIELDS))}, got {min(unknown)!r}")
    timestamp = json.loads(texts.get("timestamp", "null"))
    if timestamp is not None and (not isinstance(timestamp, int) or isinstance(timestamp, bool)):
        raise ValueError(f"timestamp: expected milliseconds or null, got {texts['timestamp']}")
    key, value = _bytes(texts, "key"), _bytes(texts, "value")
    return InputRecord(number, key, value, _headers(texts), timestamp)


def _members(text: str) -> dict[str, str]:
    """Return the text of each member of a JSON object: a value keeps its digits and its spaces."""
    expected = "expected an envelope, which is a JSON object"
    position = _skip(text, 0)
    if text[position : position + 1] != "{":
        raise ValueError(expected)
    json.loads(text)  # then what follows meets valid JSON only
    members: dict[str, str] = {}
    position = _skip(text, position + 1)
    while text[position] != "}":
        name, position = scanstring(text, position + 1)
        begin = _skip(text, _skip(text, position) + 1)
        _, end = DECODER.raw_decode(text, begin)
        if name in members:
            raise ValueError(f"expected {name!r} once")
        members[name] = text[begin:end]
        position = _skip(text, end)
        if text[position] == ",":
            position = _skip(text, position + 1)
    return members


def _skip(text: str, position: int) -> int:
    space = SPACE.match(text, position)
    return space.end() if space else position


def _bytes(texts: Mapping[str, str], name: str) -> bytes | None:
    """Return a key's or a value's bytes: a string's text, other JSON as it is written, or what Base64 decodes to."""
    encoded = json.loads(texts.get(f"{name}_base64", "null"))
    text = texts.get(name, "null")
    if encoded is None:
        given = json.loads(text)
        return None if given is None else _encoded(name, given) if isinstance(given, str) else text.encode()
    if text != "null":
        raise ValueError(f"expected {name} or {name}_base64, got both")
    try:
        return b64decode(encoded, validate=True)
    except (TypeError, NotBase64, ValueError):
        raise ValueError(f"{name}_base64: expected Base64") from None


def _headers(texts: Mapping[str, str]) -> Headers:
    pairs = json.loads(texts.get("headers", "null")) or []
    if not isinstance(pairs, list):
        raise ValueError('headers: expected pairs such as [["tenant", "eu"]]')  # noqa: TRY004 - of the text
    return [_header(pair) for pair in pairs]


def _header(pair: Any) -> tuple[str, bytes | None]:  # noqa: ANN401 - any JSON
    if not isinstance(pair, list) or len(pair) != NAME_AND_TEXT or not isinstance(pair[0], str):
        raise ValueError(f'headers: expected pairs such as ["tenant", "eu"], got {json.dumps(pair)[:80]}')
    name, text = pair
    if text is not None and not isinstance(text, str):
        raise ValueError(f"headers: expected text or null for {name!r}, got {json.dumps(text)[:80]}")
    _encoded("headers", name)
    return name, None if text is None else _encoded("headers", text)


def _encoded(name: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name}: expected text that UTF-8 can encode") from None
