"""The items of the ledger's table.

`pipeline`, `partition` ("<topic>#<partition>") -> next, step, newest, and day while one is fixed. A gap is an item of
its own ("<topic>#<partition>#gap#<first, 20 digits>" -> first, last), so that no item grows. Topics hold no #.
"""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from functions.core.errors import Corrupt
from functions.core.ports import Gap, Position, Source

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import PutTypeDef, UpdateTypeDef

Attribute = dict[str, str]
Item = Mapping[str, Any]
NAMES: Final = {"#next": "next", "#step": "step", "#day": "day", "#newest": "newest"}
OPENABLE: Final = "attribute_not_exists(#next) OR #next <= :last"
OPEN: Final = (
    "SET #next = if_not_exists(#next, :first), #step = if_not_exists(#step, :none), "
    "#day = if_not_exists(#day, :today), #newest = if_not_exists(#newest, :never)"
)
STILL_THERE: Final = "#next = :at AND #step = :of"
MOVE: Final = "SET #next = :next, #step = :step, #newest = :newest"


def key(source: Source) -> dict[str, Attribute]:
    """Of a partition's own item."""
    return {"pipeline": {"S": source.pipeline}, "partition": {"S": f"{source.topic}#{source.partition}"}}


def opening(first: int, last: int, today: date) -> dict[str, Attribute]:
    """What OPENABLE and OPEN take."""
    return {":first": _n(first), ":last": _n(last), ":none": _n(0), ":today": {"S": str(today)}, ":never": _n(-1)}


def move(table: str, source: Source, at: Position, to: Position) -> "UpdateTypeDef":
    """Move the item to `to`, if it is still at (next, step) of `at`."""
    values = {
        ":at": _n(at.next),
        ":of": _n(at.step),
        ":next": _n(to.next),
        ":step": _n(to.step),
        ":newest": _n(to.newest),
    }
    return {
        "TableName": table,
        "Key": key(source),
        "ConditionExpression": STILL_THERE,
        "UpdateExpression": MOVE + (", #day = :day" if to.day else " REMOVE #day"),
        "ExpressionAttributeNames": NAMES,
        "ExpressionAttributeValues": values | ({":day": {"S": str(to.day)}} if to.day else {}),
    }


def put_gap(table: str, source: Source, gap: Gap) -> "PutTypeDef":
    """Record a gap."""
    at = {"pipeline": {"S": source.pipeline}, "partition": {"S": f"{gaps_prefix(source)}{gap.first:020d}"}}
    return {"TableName": table, "Item": at | {"first": _n(gap.first), "last": _n(gap.last)}}


def gaps_prefix(source: Source) -> str:
    """What the keys of a partition's gaps begin with."""
    return f"{source.topic}#{source.partition}#gap#"


def gap(item: Item) -> Gap:
    """A gap's item, read."""
    return Gap(int(item["first"]["N"]), int(item["last"]["N"]))


def number(topic: str, item: Item) -> int | None:
    """The partition whose item it is; None for a gap."""
    rest: str = item["partition"]["S"].removeprefix(f"{topic}#")
    return int(rest) if rest.isdecimal() else None


def position(source: Source, item: Item) -> Position:
    """A partition's item, read; Corrupt if it is none."""
    try:
        day = date.fromisoformat(item["day"]["S"]) if "day" in item else None
        return Position(int(item["next"]["N"]), int(item["step"]["N"]), day, int(item["newest"]["N"]))
    except (KeyError, ValueError) as error:
        raise Corrupt(f"{source}: its item is not a ledger's: {error!r}") from error


def _n(value: int) -> Attribute:
    return {"N": str(value)}
