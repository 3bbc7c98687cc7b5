"""One pipeline with models of pydantic, and its twin with models of msgspec: the same fields, constraints and sinks."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from functions.core.errors import Reject
from functions.core.masking import Masked
from functions.core.pipeline import AnyPipeline, Limits, Pipeline, Tombstones
from functions.core.sinks import MINUTE, Counters, Lake, Table, Topic
from functions.core.slice import Slice

KEY = b"0123456789abcdef"


class Tier(Enum):
    GOLD = "gold"
    NONE = "none"


class PydanticItem(BaseModel):
    sku: str
    quantity: int
    mail: Masked = "m"


class PydanticOrder(BaseModel):
    model_config = ConfigDict(strict=True)

    order_id: Annotated[str, Field(min_length=1, max_length=8)]
    price: float
    at: AwareDatetime
    quantity: Annotated[int, Field(ge=0)] = 1
    tier: Tier = Tier.NONE
    note: str | None = None
    amount: Decimal = Decimal("1.5")


class PydanticOrderRow(BaseModel):
    order_id: str
    price: float
    at: datetime
    day_of: date
    quantity: int
    tier: Tier
    kind: Literal["small", "large"]
    note: str | None
    mail: Masked
    amount: Decimal
    reference: UUID
    items: list[PydanticItem]
    labels: list[str | None]


class StructItem(msgspec.Struct):
    sku: str
    quantity: int
    mail: Masked = "m"


class StructOrder(msgspec.Struct):
    order_id: Annotated[str, msgspec.Meta(min_length=1, max_length=8)]
    price: float
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    quantity: Annotated[int, msgspec.Meta(ge=0)] = 1
    tier: Tier = Tier.NONE
    note: str | None = None
    amount: Decimal = Decimal("1.5")


class StructOrderRow(msgspec.Struct):
    order_id: str
    price: float
    at: datetime
    day_of: date
    quantity: int
    tier: Tier
    kind: Literal["small", "large"]
    note: str | None
    mail: Masked
    amount: Decimal
    reference: UUID
    items: list[StructItem]
    labels: list[str | None]


def order_row(order: Any, row: type[Any], item: type[Any], **changes: Any) -> Any:
    values: dict[str, Any] = {
        "order_id": order.order_id,
        "price": order.price,
        "at": order.at,
        "day_of": order.at.date(),
        "quantity": order.quantity,
        "tier": order.tier,
        "kind": "small" if order.quantity < 5 else "large",
        "note": order.note,
        "mail": f"{order.order_id}@example.org",
        "amount": order.amount,
        "reference": UUID(int=7),
        "items": [item(sku=f"s{n}", quantity=n) for n in range(min(3, order.quantity))],
        "labels": [order.note, "a"],
    }
    return row(**{**values, **changes})


WRONG_FIELDS: dict[str, dict[str, Any]] = {
    "wrong text": {"order_id": 5},
    "wrong number": {"quantity": "five"},
    "wrong kind": {"kind": "medium"},
    "wrong time": {"at": "yesterday"},
    "wrong list": {"labels": [object()]},
    "wrong none": {"mail": None},
    "too big": {"quantity": 2**70},
    "infinite": {"price": float("inf")},
    "naive": {"at": datetime(2026, 1, 1)},  # noqa: DTZ001 - what is tested
    "surrogate": {"note": "\ud800"},
    "digits": {"amount": Decimal("1e40")},
}
"""What `process` does wrong with an order that has this note: values that no row may hold."""


def process_with(row: type[Any], item: type[Any]) -> Any:
    def process(order: Any) -> Any:
        match order.note:
            case "drop":
                return None
            case "reject":
                raise Reject("note: expected another one")
            case "crash":
                raise RuntimeError("boom")
            case "return the event":
                return order
            case "twice":
                return [order_row(order, row, item), order_row(order, row, item, quantity=9)]
            case "wrong item":
                return order_row(order, row, item, items=[item(sku="s", quantity="many")])
            case note:
                return order_row(order, row, item, **WRONG_FIELDS.get(note or "", {}))

    return process


PYDANTIC: AnyPipeline = Pipeline(
    name="orders",
    topic="order",
    event=PydanticOrder,
    row=PydanticOrderRow,
    process=process_with(PydanticOrderRow, PydanticItem),
    sinks=(
        Lake(),
        Counters("orders-per-minute", by=("tier",), every=MINUTE, at="at", sums=("amount",)),
        Table("last-order", key="order_id", newest_by="at"),
        Topic("ordered", key="order_id"),
    ),
    tombstones=Tombstones.REJECT,
    limits=Limits(max_text_bytes=100),
)
STRUCTS: AnyPipeline = replace(
    PYDANTIC, event=StructOrder, row=StructOrderRow, process=process_with(StructOrderRow, StructItem)
)


def slice_of(*values: bytes | None) -> Slice:
    count = len(values)
    times = [int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()) * 1000] * count
    return Slice(
        "order", 0, 0, max(0, count - 1), list(range(count)), times, [None] * count, list(values), [()] * count
    )
