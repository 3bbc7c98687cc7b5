"""What was redriven, so that nothing is by mistake redriven twice.

Items in the ledger's table: `pipeline`, `partition` ("#redriven#<topic>#<partition>#<offset, 20 digits>") -> state,
times, owner, at, since. No topic's name begins with #, so the ledger never takes one of them for its own.

Law: who sends holds the mark in state `sending`, taken by a conditional write, and makes it `sent` once the brokers
have acknowledged. A mark that stays `sending` was left by a redrive that died: `since` says from where on in the topic
its record lies, if it was sent at all.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from botocore.exceptions import ClientError

from functions.adapters.aws_errors import calling, code
from functions.adapters.ledger import query
from functions.operate import place as places
from functions.operate.place import Place

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PREFIX: Final = "#redriven#"
FREE: Final = "attribute_not_exists(pipeline)"


class State(StrEnum):
    """How far a redrive of a record has come."""

    SENDING = "sending"
    SENT = "sent"


class Mark(NamedTuple):
    """The last redrive of the record at `place`. `owner` is the run that sent it, `times` counts all of them."""

    place: Place
    state: State
    times: int
    owner: str
    at: datetime
    since: Place


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one pipeline; `now` is in UTC."""

    dynamodb: "DynamoDBClient"
    table: str
    pipeline: str
    now: Callable[[], datetime]

    def all(self) -> dict[Place, Mark]:
        """By place: one consistent query."""
        found = query(self.dynamodb, self.table, self.pipeline, PREFIX)
        return {mark.place: mark for mark in map(_mark, found)}

    def claim(self, place: Place, seen: Mark | None, owner: str, since: Place) -> Mark | None:
        """Take the mark, if it is still as it was seen. None: another redrive was faster."""
        times = 1 if seen is None else seen.times + (seen.state is State.SENT)
        mark = Mark(place, State.SENDING, times, owner, self.now(), since)
        return mark if self._put(mark, seen) else None

    def sent(self, mark: Mark) -> bool:
        """The brokers have it. False: another redrive has taken the mark meanwhile."""
        return self._put(mark._replace(state=State.SENT), mark)

    def release(self, mark: Mark, seen: Mark | None) -> None:
        """The brokers will never have it: as if the mark had not been taken."""
        if seen is None:
            self._write(mark, self.dynamodb.delete_item, Key=self._key(mark.place), **_still(mark))
        else:
            self._put(seen, mark)

    def _put(self, mark: Mark, seen: Mark | None) -> bool:
        condition = {"ConditionExpression": FREE} if seen is None else _still(seen)
        return self._write(mark, self.dynamodb.put_item, Item=self._key(mark.place) | _item(mark), **condition)

    def _write(self, mark: Mark, write: Callable[..., object], **asked: Any) -> bool:  # noqa: ANN401 - DynamoDB's own
        """False: the condition does not hold. If it was ours, botocore tried again what had taken effect already."""
        with calling(f"table {self.table}"):
            try:
                write(TableName=self.table, ReturnValuesOnConditionCheckFailure="ALL_OLD", **asked)
            except ClientError as error:
                if code(error) != "ConditionalCheckFailedException":
                    raise
                there = cast("dict[str, Any]", error.response).get("Item", {})
                return bool(_item(mark).items() <= there.items())
        return True

    def _key(self, place: Place) -> dict[str, Any]:
        at = f"{PREFIX}{place.topic}#{place.partition}#{place.offset:020d}"
        return {"pipeline": {"S": self.pipeline}, "partition": {"S": at}}


def _still(seen: Mark) -> dict[str, Any]:
    return {
        "ConditionExpression": "#owner = :owner AND #state = :state",
        "ExpressionAttributeNames": {"#owner": "owner", "#state": "state"},
        "ExpressionAttributeValues": {":owner": {"S": seen.owner}, ":state": {"S": seen.state}},
    }


def _item(mark: Mark) -> dict[str, Any]:
    return {
        "state": {"S": mark.state}, "times": {"N": str(mark.times)}, "owner": {"S": mark.owner},
        "at": {"S": mark.at.isoformat()}, "since": {"S": str(mark.since)},
    }  # fmt: skip


def _mark(item: Any) -> Mark:  # noqa: ANN401 - DynamoDB's own form
    topic, partition, offset = item["partition"]["S"].removeprefix(PREFIX).split("#")
    return Mark(
        Place(topic, int(partition), int(offset)), State(item["state"]["S"]), int(item["times"]["N"]),
        item["owner"]["S"], datetime.fromisoformat(item["at"]["S"]), places.parse(item["since"]["S"]),
    )  # fmt: skip
