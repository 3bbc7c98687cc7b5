"""Whether the ledger has passed a record. If not, the record is read again, and may become a row."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from functions.core.record_place import RecordPlace
from functions.operate.context import OperatorContext

if TYPE_CHECKING:
    from functions.core.ports import Position


def settled_in(context: OperatorContext) -> Callable[[RecordPlace], bool]:
    """Return a function that says whether the ledger has passed a place. It reads the ledger once for each topic."""
    positions: dict[str, dict[int, Position]] = {}

    def is_settled(place: RecordPlace) -> bool:
        if place.topic not in positions:
            positions[place.topic] = context.ledger_listing.positions(context.pipeline.name, place.topic)
        position = positions[place.topic].get(place.partition)
        return position is not None and place.offset < position.next

    return is_settled
