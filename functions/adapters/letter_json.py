"""A dead letter as JSON, for people, `jq` and the redrive.

    {"version": 1, "pipeline", "topic", "partition", "offset", "timestamp" (ms), "reason", "detail", "traceback",
     "key": {"base64": ..., "text": ...} or null, "value": the same, "headers": [[name, base64 or null], ...]}

The bytes are in `base64`; `text` repeats those that are short and UTF-8, for reading only.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from functions.core.dead_letter import DeadLetter, Reason
from functions.core.errors import Corrupt

VERSION: Final = 1
LONGEST_TEXT: Final = 4096  # bytes
PLAIN: Final = ("pipeline", "topic", "partition", "offset", "timestamp", "detail", "traceback")


def encode(letter: DeadLetter) -> bytes:
    """ASCII throughout: a detail may quote half a surrogate pair, which UTF-8 cannot hold and an escape can."""
    body = {"version": VERSION, "reason": letter.reason.value} | {name: getattr(letter, name) for name in PLAIN}
    body |= {"key": _told(letter.key), "value": _told(letter.value)}
    body["headers"] = [[name, _base64(value)] for name, value in letter.headers]
    return json.dumps(body, indent=None if len(letter.headers) > 100 else 1).encode()  # noqa: PLR2004


def parse(body: bytes) -> DeadLetter:
    """The letter that `encode` wrote; Corrupt for anything else."""
    try:
        told = json.loads(body)
        if told["version"] != VERSION:
            raise Corrupt(f"a dead letter of version {told['version']!r}, this is version {VERSION}")
        return _letter(told)
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"not a dead letter: {error!r}") from error


def _letter(told: Mapping[str, Any]) -> DeadLetter:
    return DeadLetter(
        **{name: told[name] for name in PLAIN},
        reason=Reason(told["reason"]),
        key=_bytes(told["key"] and told["key"]["base64"]),
        value=_bytes(told["value"] and told["value"]["base64"]),
        headers=[(name, _bytes(value)) for name, value in told["headers"]],
    )


def _told(data: bytes | None) -> dict[str, str] | None:
    if data is None:
        return None
    told = {"base64": b64encode(data).decode()}
    if len(data) <= LONGEST_TEXT:
        with suppress(UnicodeDecodeError):
            told["text"] = data.decode()
    return told


def _base64(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode()


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text, validate=True)
