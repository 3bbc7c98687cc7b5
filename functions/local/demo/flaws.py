"""The ways in which a login can be wrong, and the reason under which it must be stored."""

import json
from collections.abc import Callable
from typing import Any, Final, NamedTuple

Login = dict[str, Any]


class Flaw(NamedTuple):
    """`spoil` turns a valid login into bytes that must become a dead letter of this reason."""

    name: str
    reason: str
    spoil: Callable[[Login], bytes]


def _bytes(login: Any) -> bytes:  # noqa: ANN401 - whatever json takes
    return json.dumps(login, separators=(",", ":")).encode()


def _with(field: str, value: object) -> Callable[[Login], bytes]:
    return lambda login: _bytes(login | {field: value})


def _without(field: str) -> Callable[[Login], bytes]:
    return lambda login: _bytes({name: value for name, value in login.items() if name != field})


DEEP: Final = b"[" * 2_000 + b"]" * 2_000

# Not JSON at all.
UNDECODABLE: Final[dict[str, Callable[[Login], bytes]]] = {
    "plain text": lambda login: f"login {login['user_id']} ok".encode(),
    "cut off": lambda login: _bytes(login)[:-20],
    "invalid UTF-8": lambda login: _bytes(login).replace(b"user-", b"us\xffr-"),
    "empty value": lambda _: b"",
    "deep JSON": lambda _: DEEP,
    "two in one": lambda login: _bytes(login) * 2,
    "half a surrogate": lambda login: _bytes(login | {"device_id": "\ud83d"}),
}
# JSON, but not a login.
INVALID: Final[dict[str, Callable[[Login], bytes]]] = {
    "no user": _without("user_id"),
    "no timestamp": _without("timestamp"),
    "blank user": _with("user_id", "   "),
    "endless user": _with("user_id", "u" * 200),
    "number for user": _with("user_id", 42),
    "object for ip": _with("ip", {"v4": "10.0.0.1"}),
    "word for timestamp": _with("timestamp", "yesterday"),
    "NaN": _with("timestamp", float("nan")),
    "infinity": _with("timestamp", float("inf")),
    "a list": lambda login: _bytes([login]),
    "null": lambda _: b"null",
}
# A login, but nonsense.
REJECTED: Final[dict[str, Callable[[Login], bytes]]] = {
    "version": _with("app_version", "latest"),
    "locale": _with("locale", "Germany"),
    "ip": _with("ip", "300.1.1.1"),
    "milliseconds": lambda login: _bytes(login | {"timestamp": login["timestamp"] * 1000}),
    "1970": _with("timestamp", 0),
    "huge int": _with("timestamp", 10**40),
}

FLAWS: Final = tuple(
    Flaw(name, reason, spoil)
    for reason, flaws in (("undecodable", UNDECODABLE), ("invalid", INVALID), ("rejected", REJECTED))
    for name, spoil in flaws.items()
)
