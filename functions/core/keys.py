"""Key codecs, and the keys of tables that a record's key or a Delete names. Never guessed, always declared."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from functions.core.column_types import ColumnType, Integer, Uuid
from functions.core.framing import binary_format
from functions.core.rows import Keys

MAX_KEY_BYTES: Final = 2048  # of a DynamoDB partition key ("Quotas in Amazon DynamoDB")
MAX_SORT_KEY_BYTES: Final = 1024
INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,18})", re.ASCII)  # as JSON writes it, at most 64 bits
UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)
INT64: Final = range(-(2**63), 2**63)


class KeyCodec(Protocol):
    """Decodes the keys of records."""

    def decode(self, key: bytes) -> Any:  # noqa: ANN401 - what `Record.key` is then
        """Return text, an integer, or a mapping of fields. ValueError says why the bytes are none."""


@dataclass(frozen=True, slots=True)
class TextKey:
    """The key is UTF-8 text: the value of the tables' only key."""

    def decode(self, key: bytes) -> str:
        """See KeyCodec."""
        found = "JSON" if key[:1] in {b"{", b'"'} else binary_format(key)
        if found is not None:
            raise ValueError(f"it looks like {found}, but the pipeline's key_codec is TextKey()")
        return key.decode()


@dataclass(frozen=True, slots=True)
class JsonKey:
    """The key is JSON: an object with fields, or a bare value. Kafka Connect's {"schema", "payload"} is unwrapped."""

    def decode(self, key: bytes) -> Any:  # noqa: ANN401 - any JSON
        """See KeyCodec."""
        if (found := binary_format(key)) is not None:
            raise ValueError(f"it looks like {found}, but the pipeline's key_codec is JsonKey()")
        value = json.loads(key)
        if isinstance(value, dict) and value.keys() == {"schema", "payload"}:
            return value["payload"]
        return value


def table_keys(
    key: Any,  # noqa: ANN401 - what a codec or `process` returns
    fields: Mapping[str, ColumnType],
    sort_keys: Collection[str] = (),
) -> Keys:
    """Return the value of each field that is a key of a table. ValueError says why `key` does not name them all.

    `fields` are in the order of their declaration. `key`: a mapping by field, a tuple in that order, or the only value.
    `sort_keys`: the fields that are sort keys, which hold less.
    """
    if isinstance(key, tuple):
        if len(key) != len(fields):
            raise ValueError(f"expected {len(fields)} values for {', '.join(fields)}, got {len(key)}")
        key = dict(zip(fields, key, strict=True))
    elif not isinstance(key, Mapping):
        if len(fields) != 1:
            raise ValueError(f"expected an object with {', '.join(fields)}")
        key = dict.fromkeys(fields, key)
    if missing := fields.keys() - key.keys():
        raise ValueError(f"it has no {', '.join(sorted(missing))}")
    return {
        name: _value(name, key[name], column_type, MAX_SORT_KEY_BYTES if name in sort_keys else MAX_KEY_BYTES)
        for name, column_type in fields.items()
    }


def _value(name: str, value: object, column_type: ColumnType, max_bytes: int) -> str | int:
    if isinstance(column_type, Integer):
        return _integer(name, value)
    text = str(value) if isinstance(column_type, Uuid) else value
    if not isinstance(text, str):
        raise ValueError(f"{name}: expected text")  # noqa: TRY004 - about the record, as all others here
    if isinstance(column_type, Uuid):
        if not UUID.fullmatch(text):
            raise ValueError(f"{name}: expected a UUID")
        return text.lower()
    size = len(text.encode())
    if not 1 <= size <= max_bytes:
        raise ValueError(f"{name}: expected 1 to {max_bytes} bytes, got {size}")
    return text


def _integer(name: str, value: object) -> int:
    number = int(value) if isinstance(value, str) and INTEGER.fullmatch(value) else value
    if type(number) is not int or number not in INT64:
        raise ValueError(f"{name}: expected an integer of 64 bits")
    return number
