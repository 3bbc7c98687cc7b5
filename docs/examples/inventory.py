"""The stock of each warehouse, kept in a table of PostgreSQL, exactly once.

The key is JSON with `warehouse` and `sku`, so that all levels of one article come from one partition, in order. A
record without a value says that the article is no longer sold: its row is deleted. The table must exist:

    CREATE TABLE stock (
        warehouse text, sku text, quantity bigint NOT NULL CHECK (quantity >= 0), counted_at timestamptz NOT NULL,
        PRIMARY KEY (warehouse, sku));
"""

from pydantic import AwareDatetime, BaseModel

from functions.core.keys import JsonKey
from functions.core.pipeline import Pipeline, Tombstones
from functions.core.sinks import Lake
from functions.sinks.postgres import Postgres


class Level(BaseModel):
    """How much of an article a warehouse has: the event, and the row."""

    warehouse: str
    sku: str
    quantity: int
    counted_at: AwareDatetime


def process(level: Level) -> Level:
    """Return the level as it is. The table refuses a negative one, which becomes a dead letter."""
    return level


PIPELINE = Pipeline(
    name="inventory",
    topic="inventory",
    event=Level,
    row=Level,
    process=process,
    key_codec=JsonKey(),
    tombstones=Tombstones.DELETE,
    sinks=(Lake(), Postgres("stock", table="stock", key=("warehouse", "sku"))),
)
