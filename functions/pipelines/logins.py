"""The user-login stream: validates and normalizes logins, and masks personal data."""

import re
from datetime import UTC, datetime
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field, StringConstraints

from functions.core.errors import Reject
from functions.core.masking import Masked
from functions.core.pipeline import Pipeline
from functions.core.sinks import MINUTE, Counters, Lake, Table, Topic

DeviceType = Literal["android", "ios", "web", "other", "unknown"]
Identifier = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]

DEVICE_TYPES: Final[dict[str, DeviceType]] = {
    "android": "android", "ios": "ios", "iphone": "ios", "ipad": "ios", "web": "web", "browser": "web",
}  # fmt: skip
VERSION: Final = re.compile(r"v?(\d{1,5})\.(\d{1,5})(?:\.(\d{1,5}))?", re.ASCII)
REGION: Final = re.compile(r"[A-Za-z]{2}")
MIN_SECONDS: Final = int(datetime(2000, 1, 1, tzinfo=UTC).timestamp())
MAX_SECONDS: Final = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp())


class Login(BaseModel):
    """A login as the source topic holds it. `tandem produce --generate` takes the examples."""

    user_id: Annotated[Identifier, Field(examples=["ada", "grace", "edsger", "barbara", "donald"])]
    app_version: Annotated[str, Field(examples=["2.3.0", "v2.4", "2.10.1"])]
    device_type: Annotated[str | None, Field(examples=["android", "iPhone", "web", None])] = None
    ip: Annotated[str, Field(examples=["192.0.2.7", "198.51.100.23", "2001:db8::1"])]
    locale: Annotated[str, Field(examples=["DE", "us", "JP"])]
    device_id: Identifier
    timestamp: Annotated[int, Field(examples=[1_795_440_410, 1_795_440_470, 1_795_441_000])]  # Unix seconds


class ProcessedLogin(BaseModel):
    """A validated, normalized login, as the sinks store it."""

    user_id: str
    version_major: int
    version_minor: int
    version_patch: int
    device_type: DeviceType
    ip: Masked
    locale: str
    device_id: Masked
    logged_in_at: datetime


def process(login: Login) -> ProcessedLogin:
    """Normalize a login; Reject names the field with an invalid value."""
    major, minor, patch = _version(login.app_version)
    return ProcessedLogin(
        user_id=login.user_id,
        version_major=major,
        version_minor=minor,
        version_patch=patch,
        device_type=_device_type(login.device_type),
        ip=_address(login.ip),
        locale=_region(login.locale),
        device_id=login.device_id,
        logged_in_at=_time(login.timestamp),
    )


@lru_cache(maxsize=1024)
def _version(text: str) -> tuple[int, int, int]:
    match = VERSION.fullmatch(text)
    if match is None:
        raise Reject("app_version: expected numbers like 2.3.0")
    major, minor, patch = match.groups(default="0")
    return int(major), int(minor), int(patch)


@lru_cache(maxsize=1024)
def _device_type(text: str | None) -> DeviceType:
    return DEVICE_TYPES.get(text.strip().lower(), "other") if text and text.strip() else "unknown"


@lru_cache(maxsize=1024)
def _region(text: str) -> str:
    if REGION.fullmatch(text) is None:
        raise Reject("locale: expected a region of two letters, like DE")
    return text.upper()


def _address(text: str) -> str:
    family = AF_INET6 if ":" in text else AF_INET
    try:
        return inet_ntop(family, inet_pton(family, text))  # the canonical form, 20 times as fast as ipaddress
    except (OSError, ValueError):
        raise Reject("ip: expected an IPv4 or IPv6 address") from None


def _time(seconds: int) -> datetime:
    if MIN_SECONDS <= seconds < MAX_SECONDS:
        return datetime.fromtimestamp(seconds, UTC)
    hint = ", this looks like milliseconds" if MIN_SECONDS <= seconds // 1000 < MAX_SECONDS else ""
    raise Reject(f"timestamp: expected Unix seconds from 2000 to 2100{hint}")


PIPELINE = Pipeline(
    name="logins",
    topic="user-login",
    event=Login,
    row=ProcessedLogin,
    process=process,
    sinks=(
        Lake(),
        Counters("logins-per-minute", by=("device_type",), every=MINUTE, at="logged_in_at"),
        Table("last-login", key="user_id", newest_by="logged_in_at"),
        Topic("processed-user-login", key="user_id"),
    ),
)
