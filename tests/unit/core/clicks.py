"""A small pipeline with every sink, and slices of its records, for tests of the core."""

from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from functions.core.errors import Reject
from functions.core.flood import FloodLimit
from functions.core.masking import Masked
from functions.core.pipeline import AnyPipeline, Limits, Pipeline, Tombstones
from functions.core.sinks import MINUTE, Counters, Lake, Table, Topic
from functions.core.slice import Slice

KEY = b"0123456789abcdef"


class Click(BaseModel):
    user: str
    at: int
    page: str | None = None
    secret: str = "s"


class Row(BaseModel):
    user: str
    at: datetime
    page: str | None
    secret: Masked
    big: int = 0


def process(click: Click) -> Row | None:
    match click.page:
        case "drop":
            return None
        case "reject":
            raise Reject("page: expected a page")
        case "crash":
            raise RuntimeError("boom")
        case "wrong":
            return click  # type: ignore[return-value]
        case "memory":
            raise MemoryError
        case "big":
            return Row(user=click.user, at=datetime.fromtimestamp(click.at, UTC), page="big", secret="s", big=2**70)
        case _:
            return Row(user=click.user, at=datetime.fromtimestamp(click.at, UTC), page=click.page, secret=click.secret)


SINKS = (
    Lake(),
    Counters("clicks-per-minute", by=("page",), every=MINUTE, at="at"),
    Table("last-click", key="user", newest_by="at"),
    Topic("clicked", key="user"),
)


def pipeline(**changes: Any) -> AnyPipeline:
    declared: dict[str, Any] = {
        "name": "clicks", "topic": "click", "event": Click, "row": Row, "process": process, "sinks": SINKS,
        "limits": Limits(flood=FloodLimit(1.0, 1000)),
    }  # fmt: skip
    return Pipeline(**(declared | changes))


def slice_of(
    *values: str | bytes | None, start: int = 0, time: int = 1_000, keys: list[bytes | None] | None = None
) -> Slice:
    n = len(values)
    return Slice(
        "click", 0, start, start + n - 1, list(range(start, start + n)), [time + i for i in range(n)],
        keys or [b"k"] * n, [v.encode() if isinstance(v, str) else v for v in values], [()] * n,
    )  # fmt: skip


def click(user: str = "u", at: int = 60, page: str | None = None) -> str:
    return Click(user=user, at=at, page=page).model_dump_json()


DELETE = Tombstones.DELETE
