"""A database's table, kept up to date from Debezium's change events.

The key is JSON with the primary key's columns, and the value Debezium's envelope, without schemas
(`value.converter.schemas.enable=false`). A deletion is an event with `op` d, and after it a record without a value. The
lake keeps every state of a customer, and the deletions.
"""

from typing import Literal

from pydantic import BaseModel

from functions.core.keys import JsonKey
from functions.core.masking import Masked
from functions.core.pipeline import Pipeline, Tombstones
from functions.core.record import Delete, Record
from functions.core.sinks import Lake, Table


class Customer(BaseModel):
    """A row of the database's table, as `after` holds it."""

    tenant: str
    id: int
    email: str
    country: str | None = None


class Change(BaseModel):
    """The envelope. `op`: c = created, r = read by a snapshot, u = updated, d = deleted."""

    op: Literal["c", "r", "u", "d"]
    after: Customer | None


class CurrentCustomer(BaseModel):
    """The row as the sinks store it."""

    tenant: str
    id: int
    email: Masked
    country: str | None


def process(change: Change, record: Record) -> CurrentCustomer | Delete:
    """Return the row as it is now, or delete it. Without `newest_by` the record that was written last wins."""
    if change.after is None:
        return Delete(record.key)
    return CurrentCustomer(**change.after.model_dump())


PIPELINE = Pipeline(
    name="customers",
    topic="shop.public.customers",
    event=Change,
    row=CurrentCustomer,
    process=process,
    key_codec=JsonKey(),
    tombstones=Tombstones.DELETE,
    sinks=(Lake(history=True), Table("customers", key=("tenant", "id"))),
)
