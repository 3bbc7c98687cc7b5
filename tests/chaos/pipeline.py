"""The pipeline of chaos runs: `logins` with a record that ends its process, in two releases with different row models.

Both have the fields that the verification reads. The second one also moves the version into a nested model, adds a
field that may be None, orders the fields anew, and adds up a field in the counter.
"""

import os
from dataclasses import replace
from datetime import datetime
from typing import Final

from pydantic import BaseModel

from functions.core.masking import Masked
from functions.core.pipeline import AnyPipeline, Pipeline
from functions.core.sinks import Counters
from functions.pipelines import logins
from functions.pipelines.logins import DeviceType, Login, ProcessedLogin

LETHAL_EXIT_CODE: Final = 86
RELEASE: Final = "CHAOS_RELEASE"  # the variable that names the release of a process


class ChaosLogin(Login):
    """A login. A lethal one ends the process, as a library that crashes would."""

    lethal: bool = False


class Version(BaseModel):
    """The version of an app."""

    minor: int
    major: int


class SecondRow(BaseModel):
    """The row of the second release."""

    logged_in_at: datetime
    device_id: Masked
    version: Version
    ip: Masked
    session: str | None = None
    locale: str
    device_type: DeviceType
    version_patch: int
    version_minor: int
    version_major: int
    user_id: str


def first(login: ChaosLogin) -> ProcessedLogin:
    """Process a login, or end the process."""
    if login.lethal:
        os._exit(LETHAL_EXIT_CODE)
    return logins.process(login)


def second(login: ChaosLogin) -> SecondRow:
    """Process a login, or end the process."""
    row = first(login)
    version = Version(major=row.version_major, minor=row.version_minor)
    return SecondRow(version=version, **row.model_dump())


def _summing(pipeline: AnyPipeline) -> AnyPipeline:
    sinks = (replace(sink, sums=("version_major",)) if isinstance(sink, Counters) else sink for sink in pipeline.sinks)
    return replace(pipeline, sinks=tuple(sinks))


def _release(row: type[BaseModel], process: object) -> AnyPipeline:
    declared: Pipeline[Login, ProcessedLogin] = logins.PIPELINE
    changes: dict[str, object] = {"event": ChaosLogin, "row": row, "process": process}
    return replace(declared, **changes)  # type: ignore[arg-type]


RELEASES: Final = {"first": _release(ProcessedLogin, first), "second": _summing(_release(SecondRow, second))}


def install() -> None:
    """Replace `logins` in this process by the release that the environment names."""
    logins.PIPELINE = RELEASES[os.environ[RELEASE]]
