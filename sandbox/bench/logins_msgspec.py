"""A twin of the pipeline `logins` whose models are msgspec's: the same fields, normalization, masks and sinks."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

import msgspec

from functions.core.masking import Masked
from functions.pipelines import logins
from functions.pipelines.logins import DeviceType, _address, _device_type, _region, _time, _version

if TYPE_CHECKING:
    from functions.core.pipeline import AnyPipeline

MAX_CHARACTERS: Final = 128


class Login(msgspec.Struct):
    """A login as the source topic holds it."""

    user_id: str
    app_version: str
    ip: str
    locale: str
    device_id: str
    timestamp: int  # Unix seconds
    device_type: str | None = None

    def __post_init__(self) -> None:
        """Strip the identifiers and check their length, as pydantic's StringConstraints do."""
        self.user_id = _identifier("user_id", self.user_id)
        self.device_id = _identifier("device_id", self.device_id)


class ProcessedLogin(msgspec.Struct):
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


def _identifier(name: str, text: str) -> str:
    stripped = text.strip()
    if not 1 <= len(stripped) <= MAX_CHARACTERS:
        raise ValueError(f"{name}: expected 1 to {MAX_CHARACTERS} characters")
    return stripped


PIPELINE = replace(cast("AnyPipeline", logins.PIPELINE), event=Login, row=ProcessedLogin, process=process)
