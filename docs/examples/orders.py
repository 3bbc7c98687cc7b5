"""Orders of several shops: a row for each line item, with exact amounts.

The record's key is the order's ID, and its header `tenant` names the shop. The amounts are summed up per hour and shop,
and the newest state of each line is in a table for 90 days.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, Field

from functions.core.errors import Reject
from functions.core.keys import TextKey
from functions.core.masking import Masked
from functions.core.pipeline import Pipeline
from functions.core.record import Record
from functions.core.sinks import HOUR, Counters, Lake, Table, Topic

Money = Annotated[Decimal, Field(max_digits=18, decimal_places=2)]


class Item(BaseModel):
    """A line of an order. `price` is that of one piece."""

    sku: str
    quantity: Annotated[int, Field(ge=1, le=10_000)]
    price: Money


class Order(BaseModel):
    """The value: `price` may be a JSON number or a text, no digit is lost."""

    customer: str
    placed_at: AwareDatetime
    items: list[Item]


class OrderLine(BaseModel):
    """The row of one line item. `line` counts from 1."""

    tenant: str
    order_id: str
    line: int
    customer: Masked
    sku: str
    quantity: int
    amount: Money
    placed_at: AwareDatetime


def process(order: Order, record: Record) -> list[OrderLine]:
    """Return a row for each item. An order without items is dropped, as it becomes no row."""
    tenant = record.header("tenant")
    if tenant is None:
        raise Reject("header tenant: expected the name of a shop")
    if record.key is None:
        raise Reject("key: expected the order's ID")
    return [
        OrderLine(
            tenant=tenant.decode(),
            order_id=record.key,
            line=line,
            customer=order.customer,
            sku=item.sku,
            quantity=item.quantity,
            amount=item.quantity * item.price,
            placed_at=order.placed_at,
        )
        for line, item in enumerate(order.items, start=1)
    ]


PIPELINE = Pipeline(
    name="orders",
    topic="order",
    event=Order,
    row=OrderLine,
    process=process,
    key_codec=TextKey(),
    sinks=(
        Lake(),
        Counters("revenue-per-hour", by=("tenant",), every=HOUR, at="placed_at", sums=("quantity", "amount")),
        Table("order-lines", key=("order_id", "line"), newest_by="placed_at", expire_after=timedelta(days=90)),
        Topic("order-line", key="sku"),
    ),
)
