"""A dead letter as JSON, for people, `jq` and the redrive.

    {"version": 1, "pipeline", "topic", "partition", "offset", "timestamp" (ms), "reason", "detail", "traceback",
     "key": {"base64": ..., "text": ...} or null, "value": the same, "headers": [[name, base64 or null], ...]}

`base64` holds the bytes. `text` repeats them for readers, if they are short and UTF-8.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from functions.core.dead_letter import DeadLetter, Reason
from functions.core.errors import Corrupt

VERSION: Final = 1
MAX_TEXT_BYTES: Final = 4096
PLAIN_FIELDS: Final = ("pipeline", "topic", "partition", "offset", "timestamp", "detail", "traceback")


def encode(letter: DeadLetter) -> bytes:
    """Encode as ASCII, because a detail may quote half a surrogate pair, which UTF-8 cannot represent."""
    body = {"version": VERSION, "reason": letter.reason.value} | {name: getattr(letter, name) for name in PLAIN_FIELDS}
    body |= {"key": _as_dict(letter.key), "value": _as_dict(letter.value)}
    body["headers"] = [[name, _base64(value)] for name, value in letter.headers]
    return json.dumps(body).encode()


def parse(body: bytes) -> DeadLetter:
    """Return the letter that `encode` wrote. Raises Corrupt for anything else."""
    try:
        fields = json.loads(body)
        if fields["version"] != VERSION:
            raise Corrupt(f"expected a dead letter of version {VERSION}, got version {fields['version']!r}")
        return _letter(fields)
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"not a dead letter: {error!r}") from error


def _letter(fields: Mapping[str, Any]) -> DeadLetter:
    return DeadLetter(
        **{name: fields[name] for name in PLAIN_FIELDS},
        reason=Reason(fields["reason"]),
        key=_bytes(fields["key"] and fields["key"]["base64"]),
        value=_bytes(fields["value"] and fields["value"]["base64"]),
        headers=[(name, _bytes(value)) for name, value in fields["headers"]],
    )


def _as_dict(data: bytes | None) -> dict[str, str] | None:
    if data is None:
        return None
    encoded = {"base64": b64encode(data).decode()}
    if len(data) <= MAX_TEXT_BYTES:
        with suppress(UnicodeDecodeError):
            encoded["text"] = data.decode()
    return encoded


def _base64(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text, validate=True)
