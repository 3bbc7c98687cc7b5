"""A pipeline whose rows hold every kind of value, and whose tables have every kind of key."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from functions.core.pipeline import Pipeline
from functions.core.rows import Deletion, Rows
from functions.core.sinks import MINUTE, Counters, Lake, Table


class Place(BaseModel):
    city: str
    seen_at: datetime | None


class Everything(BaseModel):
    name: str
    number: int
    ratio: float
    good: bool
    at: datetime
    on: date
    price: Annotated[Decimal, Field(max_digits=12, decimal_places=2)]
    id: UUID
    colour: Literal["red", "green"] | None
    tags: list[str]
    place: Place | None


PIPELINE = Pipeline(
    name="everything", topic="all.of-it", event=Everything, row=Everything, process=lambda event: event,
    sinks=(
        Lake(),
        Counters("all", by=("colour",), every=MINUTE, at="at"),
        Table("by-name", key="name", newest_by="at"),
        Table("by-number", key="number", newest_by="at"),
    ),
)  # fmt: skip

NOW = datetime(2026, 11, 23, 13, 26, 50, 123456, tzinfo=UTC)
FIRST: dict[str, Any] = {
    "name": "Zoë", "number": -(2**63), "ratio": 0.1, "good": True, "at": NOW, "on": date(2026, 11, 23),
    "price": Decimal("-12.30"), "id": "00000000-0000-4000-8000-000000000001", "colour": None, "tags": [], "place": None,
}  # fmt: skip
SECOND: dict[str, Any] = FIRST | {
    "name": "", "number": 2**63 - 1, "ratio": float("inf"), "good": False, "colour": "red", "tags": ["a", ""],
    "place": {"city": "Köln", "seen_at": NOW},
}  # fmt: skip


def rows(first: int, *values: dict[str, Any], deletes: tuple[Deletion, ...] = ()) -> Rows:
    """Return rows at offset `first` and the offsets after it."""
    offsets = list(range(first, first + len(values)))
    columns = {name: [value[name] for value in values] for name in Everything.model_fields}
    return Rows(offsets, [0] * len(offsets), [1_700_000_000_000 + offset for offset in offsets], columns, deletes)
