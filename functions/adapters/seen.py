"""The events that pipelines with Dedup have seen, on DynamoDB.

Items: `event` ("<pipeline>#<hash>") -> `claims` ([[place, milliseconds], ...], each place the "topic/partition/offset"
of a record), `expires` (Unix seconds, DynamoDB's TTL attribute). One conditional put per event, in parallel: a write
unit for each event, new or repeated. Only a record that comes after the time of Dedup costs a second one.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

from botocore.exceptions import ClientError

from functions.adapters.aws_errors import calling, code
from functions.adapters.conditional import CONDITION_FAILED
from functions.adapters.direct_calls import Calls
from functions.adapters.parallel import for_each
from functions.core.dedup import KEPT_PERIODS, SeenEvent, holder_of, with_claim
from functions.core.errors import Corrupt
from functions.core.record_place import parse_place

MARGIN_SECONDS: Final = 24 * 60 * 60  # clocks differ
Attribute = dict[str, Any]


@dataclass(frozen=True, slots=True)
class DynamoSeen:
    """See ports.SeenStore."""

    puts: Calls
    table: str
    pool: Executor

    def claim(self, events: Sequence[SeenEvent], within_ms: int) -> Sequence[SeenEvent | None]:
        """See ports.SeenStore. One request per event. Claiming again is harmless."""
        return for_each(self.pool, partial(self._claim, within_ms), events)

    def _claim(self, within_ms: int, event: SeenEvent) -> SeenEvent | None:
        """Put the first claim; on a condition that is not met decide by what is there, and replace only that."""
        expected: Attribute | None = None
        claims: list[SeenEvent] = []
        while True:
            stored = self._replace(event.key, expected, with_claim(claims, event, within_ms), within_ms)
            if stored is None:
                return None
            claims, expected = _claims(event.key, stored), stored
            if any(claim.place == event.place for claim in claims):
                return None
            if holder := holder_of(claims, event, within_ms):
                return holder

    def _replace(
        self, key: str, expected: Attribute | None, claims: Sequence[SeenEvent], within_ms: int
    ) -> Attribute | None:
        """Write the claims if those in the table are the expected ones; otherwise return what is there."""
        expires = (claims[-1].time + KEPT_PERIODS * within_ms) // 1000 + MARGIN_SECONDS
        with calling(f"table {self.table}"):
            try:
                self.puts(
                    TableName=self.table,
                    Item={"event": {"S": key}, "claims": _attribute(claims), "expires": {"N": str(expires)}},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                    **_condition(expected),
                )
            except ClientError as error:
                if code(error) != CONDITION_FAILED:
                    raise
                # Nothing is there if DynamoDB has deleted the item since: then the first claim is put once more.
                item = cast("dict[str, Any]", error.response).get("Item", {})
                return cast("Attribute", item.get("claims", {"L": []}))
        return None


def _condition(expected: Attribute | None) -> dict[str, Any]:
    if not expected or not expected["L"]:
        return {"ConditionExpression": "attribute_not_exists(#event)", "ExpressionAttributeNames": {"#event": "event"}}
    return {
        "ConditionExpression": "#claims = :claims",
        "ExpressionAttributeNames": {"#claims": "claims"},
        "ExpressionAttributeValues": {":claims": expected},
    }


def _attribute(claims: Sequence[SeenEvent]) -> Attribute:
    return {"L": [{"L": [{"S": str(claim.place)}, {"N": str(claim.time)}]} for claim in claims]}


def _claims(key: str, attribute: Attribute) -> list[SeenEvent]:
    try:
        pairs = (pair["L"] for pair in attribute["L"])
        return [SeenEvent(key, parse_place(place["S"]), int(time["N"])) for place, time in pairs]
    except (KeyError, ValueError) as error:
        raise Corrupt(f"event {key}: the item in the table of seen events is none of Tandem's: {error!r}") from error
