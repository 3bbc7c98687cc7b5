"""Redrive claims as items of the ledger's table.

`pipeline`, `partition` ("#redriven#<topic>#<partition>#<offset, 20 digits>") -> state, times, owner, at, since. No
topic name begins with #, so the ledger never reads one of them as its own. They are not in the dead letters' bucket,
where every object is announced as a dead letter.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from functions.adapters.conditional import claimed
from functions.adapters.ledger import query
from functions.core.record_place import RecordPlace, parse_place
from functions.core.redrive import ClaimState, RedriveClaim

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PREFIX: Final = "#redriven#"
NO_CLAIM: Final = "attribute_not_exists(pipeline)"


@dataclass(frozen=True, slots=True)
class DynamoClaimStore:
    """See operator_ports.ClaimStore. `table` is the ledger's."""

    dynamodb: "DynamoDBClient"
    table: str
    pipeline: str

    def all(self) -> dict[RecordPlace, RedriveClaim]:
        """See operator_ports.ClaimStore. One consistent query."""
        claims = map(_parse, query(self.dynamodb, self.table, self.pipeline, PREFIX))
        return {claim.place: claim for claim in claims}

    def put(self, claim: RedriveClaim, expected: RedriveClaim | None) -> bool:
        """See operator_ports.ClaimStore."""
        condition = {"ConditionExpression": NO_CLAIM} if expected is None else _unchanged(expected)
        item = self._key(claim.place) | _attributes(claim)
        return claimed(self.dynamodb.put_item, self.table, _attributes(claim), Item=item, **condition)

    def remove(self, claim: RedriveClaim) -> bool:
        """See operator_ports.ClaimStore."""
        key = self._key(claim.place)
        return claimed(self.dynamodb.delete_item, self.table, _attributes(claim), Key=key, **_unchanged(claim))

    def _key(self, place: RecordPlace) -> dict[str, Any]:
        name = f"{PREFIX}{place.topic}#{place.partition}#{place.offset:020d}"
        return {"pipeline": {"S": self.pipeline}, "partition": {"S": name}}


def _unchanged(claim: RedriveClaim) -> dict[str, Any]:
    return {
        "ConditionExpression": "#owner = :owner AND #state = :state",
        "ExpressionAttributeNames": {"#owner": "owner", "#state": "state"},
        "ExpressionAttributeValues": {":owner": {"S": claim.owner}, ":state": {"S": claim.state}},
    }


def _attributes(claim: RedriveClaim) -> dict[str, Any]:
    return {
        "state": {"S": claim.state}, "times": {"N": str(claim.times)}, "owner": {"S": claim.owner},
        "at": {"S": claim.claimed_at.isoformat()}, "since": {"S": str(claim.since)},
    }  # fmt: skip


def _parse(item: Any) -> RedriveClaim:  # noqa: ANN401 - DynamoDB's own form
    topic, partition, offset = item["partition"]["S"].removeprefix(PREFIX).split("#")
    return RedriveClaim(
        RecordPlace(topic, int(partition), int(offset)), ClaimState(item["state"]["S"]), int(item["times"]["N"]),
        item["owner"]["S"], datetime.fromisoformat(item["at"]["S"]), parse_place(item["since"]["S"]),
    )  # fmt: skip
