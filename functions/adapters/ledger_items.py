"""The items of the ledger's table.

A partition's item has the key (`pipeline`, `partition` = "<topic>#<partition>") and the attributes
    next, step, newest   always
    day, object, owner   while an attempt at `next` is under way or was left: see ports.Position
    suspect              {end, size, alone}
    stop                 {reason, detail, first, last, at, newest}
    accepted, window, topic_id, fence, clock
Each gap is a separate item ("<topic>#<partition>#gap#<first, 20 digits>" -> first, last), so that no item grows. Topic
names contain no #. Unknown attributes are left alone.
"""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from functions.core.errors import Corrupt
from functions.core.intent import Gap
from functions.core.ports import DurableStop, Opening, Position, Source, StopReason, Suspect

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import PutTypeDef, UpdateTypeDef

Attribute = dict[str, Any]
Item = Mapping[str, Any]
ATTRIBUTES: Final = (
    "next", "step", "newest", "day", "object", "owner", "suspect", "stop", "accepted", "window", "topic_id",
    "fence", "clock",
)  # fmt: skip
OPENABLE: Final = "attribute_not_exists(#next) OR (#next <= :last AND attribute_not_exists(#stop))"
CREATE: Final = (
    "SET #next = if_not_exists(#next, :first), #step = if_not_exists(#step, :zero), "
    "#newest = if_not_exists(#newest, :none)"
)
OPEN: Final = f"{CREATE}, #day = if_not_exists(#day, :day), #object = if_not_exists(#object, :object), #owner = :owner"
NOT_STOPPED: Final = "attribute_not_exists(#stop)"
FORGET: Final = " REMOVE #day, #object, #owner"


def names(*expressions: str) -> dict[str, str]:
    """Return the ExpressionAttributeNames of the attributes that the expressions use."""
    return {f"#{name}": name for name in ATTRIBUTES if any(f"#{name}" in expression for expression in expressions)}


def key(source: Source) -> dict[str, Attribute]:
    """Return the key of a partition's item."""
    return {"pipeline": {"S": source.pipeline}, "partition": {"S": f"{source.topic}#{source.partition}"}}


def creation(first: int) -> dict[str, Attribute]:
    """Return the values of CREATE."""
    return {":first": _n(first), ":zero": _n(0), ":none": _n(-1)}


def opening_values(first: int, last: int, opening: Opening) -> dict[str, Attribute]:
    """Return the values of OPENABLE and OPEN."""
    return creation(first) | {
        ":last": _n(last),
        ":day": {"S": str(opening.day)},
        ":object": {"BOOL": opening.has_object},
        ":owner": {"S": opening.owner},
    }


def move(table: str, source: Source, position: Position, target: Position) -> "UpdateTypeDef":
    """Return the update that moves the item to `target` if it is still at (next, step, fence) of `position`."""
    condition, values = unchanged(position)
    condition, values = f"{condition} AND {NOT_STOPPED}", values | {":to_step": _n(target.step)}
    update = "SET #step = :to_step"
    if target.next != position.next:
        values |= {":to_next": _n(target.next), ":newest": _n(target.newest), ":clock": _n(target.clock)}
        values[":window"] = _window(target)
        update += ", #next = :to_next, #newest = :newest, #clock = :clock, #window = :window"
        if target.suspect is None:
            update += f"{FORGET}, #suspect"
        else:
            values[":suspect"] = suspect_attribute(target.suspect)
            update += f", #suspect = :suspect{FORGET}"
    return conditional_update(table, source, update, condition, values)


def conditional_update(
    table: str, source: Source, update: str, condition: str, values: dict[str, Attribute]
) -> "UpdateTypeDef":
    """Return the update of a partition's item that happens if the condition is met."""
    return {
        "TableName": table,
        "Key": key(source),
        "ConditionExpression": condition,
        "UpdateExpression": update,
        "ExpressionAttributeNames": names(update, condition),
        "ExpressionAttributeValues": values,
    }


def unchanged(position: Position) -> tuple[str, dict[str, Attribute]]:
    """Return the condition that the item is still at (next, step, fence) of `position`, and its values."""
    condition, values = "#next = :next AND #step = :step", {":next": _n(position.next), ":step": _n(position.step)}
    if position.fence == 0:
        return f"{condition} AND attribute_not_exists(#fence)", values
    return f"{condition} AND #fence = :fence", values | {":fence": _n(position.fence)}


def resumption(resumed: Position) -> dict[str, Attribute]:
    """Return the values that a resumption writes."""
    return {":newest": _n(resumed.newest), ":accepted": _n(resumed.accepted), ":window": _window(resumed)}


def suspect_attribute(suspect: Suspect) -> Attribute:
    """Return a suspect as an attribute."""
    alone: Attribute = {"L": [{"S": owner} for owner in suspect.alone]}
    return {"M": {"end": _n(suspect.end), "size": _n(suspect.size), "alone": alone}}


def stop_attribute(stop: DurableStop) -> Attribute:
    """Return a stop as an attribute."""
    numbers = {name: _n(getattr(stop, name)) for name in ("first", "last", "at", "newest")}
    return {"M": {"reason": {"S": stop.reason.value}, "detail": {"S": stop.detail}, **numbers}}


def put_gap(table: str, source: Source, gap: Gap) -> "PutTypeDef":
    """Return the write that records a gap."""
    return {"TableName": table, "Item": gap_key(source, gap) | {"first": _n(gap.first), "last": _n(gap.last)}}


def gap_key(source: Source, gap: Gap) -> dict[str, Attribute]:
    """Return the key of a gap's item."""
    return {"pipeline": {"S": source.pipeline}, "partition": {"S": f"{gaps_prefix(source)}{gap.first:020d}"}}


def gaps_prefix(source: Source) -> str:
    """Return the prefix of the keys of a partition's gaps."""
    return f"{source.topic}#{source.partition}#gap#"


def gap(item: Item) -> Gap:
    """Parse a gap's item."""
    return Gap(int(item["first"]["N"]), int(item["last"]["N"]))


def number(topic: str, item: Item) -> int | None:
    """Return the partition of an item; None for a gap."""
    rest: str = item["partition"]["S"].removeprefix(f"{topic}#")
    return int(rest) if rest.isdecimal() else None


def position(source: Source, item: Item) -> Position:
    """Parse a partition's item. Raises Corrupt if it is not one."""
    try:
        return Position(
            next=int(item["next"]["N"]),
            step=int(item["step"]["N"]),
            day=date.fromisoformat(item["day"]["S"]) if "day" in item else None,
            newest=int(item["newest"]["N"]),
            has_object=item["object"]["BOOL"] if "object" in item else None,
            owner=item["owner"]["S"] if "owner" in item else None,
            suspect=_suspect(item["suspect"]["M"]) if "suspect" in item else None,
            stop=_stop(item["stop"]["M"]) if "stop" in item else None,
            accepted=int(item["accepted"]["N"]) if "accepted" in item else -1,
            window=tuple(_pair(pair["L"]) for pair in item["window"]["L"]) if "window" in item else (),
            topic_id=item["topic_id"]["S"] if "topic_id" in item else None,
            fence=int(item["fence"]["N"]) if "fence" in item else 0,
            clock=int(item["clock"]["N"]) if "clock" in item else -1,
        )
    except (KeyError, ValueError, TypeError) as error:
        raise Corrupt(f"{source}: the item in the ledger's table is not a position: {error!r}") from error


def _suspect(attributes: Mapping[str, Attribute]) -> Suspect:
    alone = tuple(owner["S"] for owner in attributes["alone"]["L"])
    return Suspect(int(attributes["end"]["N"]), int(attributes["size"]["N"]), alone)


def _stop(attributes: Mapping[str, Attribute]) -> DurableStop:
    numbers = {name: int(attributes[name]["N"]) for name in ("first", "last", "at", "newest")}
    return DurableStop(StopReason(attributes["reason"]["S"]), attributes["detail"]["S"], **numbers)


def _pair(attributes: list[Attribute]) -> tuple[int, int]:
    records, rejects = attributes
    return int(records["N"]), int(rejects["N"])


def _window(target: Position) -> Attribute:
    return {"L": [{"L": [_n(records), _n(rejects)]} for records, rejects in target.window]}


def _n(value: int) -> Attribute:
    return {"N": str(value)}
