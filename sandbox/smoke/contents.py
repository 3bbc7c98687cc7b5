"""What a stage holds of one run, read without the pipeline's code, and only where the run can have written."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs

from sandbox.demo.parse import FIELDS, letter, parquet
from sandbox.demo.records import LoginRow, Place, Produced, StoreContents, StoredLetter, letter_of
from sandbox.smoke.announcements import announced
from sandbox.smoke.plan import DEVICE_TYPES, SmokePlan
from sandbox.smoke.target import PIPELINE, Target

CLOCKS: Final = timedelta(minutes=5)  # how much clocks may differ


@dataclass(frozen=True)
class RunContents:
    """Reads a stage. `began`: when the run did, in UTC; `produced`: its records."""

    target: Target
    plan: SmokePlan
    produced: Produced
    began: datetime

    def read(self, messages: list[tuple[Place, LoginRow]]) -> StoreContents:
        """Return everything, given the messages of the output topic. Takes the announcements from the queue."""
        letters = self.letters()
        return StoreContents(
            rows=self.rows(), letters=letters, counters=self.counters(), table=self.table(), messages=messages,
            announced=announced(self.target, self.produced, len(letters)),
        )  # fmt: skip

    def rows(self) -> list[tuple[Place, LoginRow]]:
        """Return the rows of the run's records and users, each as often as the lake has it."""
        bucket = self.target.settings.lake_bucket
        keys = (key for day in self.days() for key in self._new(bucket, f"{PIPELINE}/day={day}/{self.target.source}-"))
        rows = (row for body in self._bodies(bucket, keys) for row in parquet(body))
        return [each for each in rows if each[0] in self.produced or each[1].user_id.startswith(self.plan.prefix)]

    def letters(self) -> list[StoredLetter]:
        """Return the dead letters of the run's records."""
        bucket = self.target.settings.dead_letter_bucket
        archive = self.target.context.letters
        entries = [entry for day in self.days() for entry in archive.entries(None, str(day))]
        of_topic = (entry.key for entry in entries if entry.place.topic == self.target.source)
        keys = [key for key in of_topic if letter_of(key)[0] in self.produced]
        return [letter(key, body) for key, body in zip(keys, self._bodies(bucket, keys), strict=True)]

    def counters(self) -> dict[tuple[str, int], int]:
        """Return the run's logins by device type and minute, summed over the partitions."""
        sums: Counter[tuple[str, int]] = Counter()
        for item in self.counter_items():
            (device_type,) = parse_qs(item["counter"]["S"].partition("?")[2])["device_type"]
            minute = datetime.fromisoformat(item["bucket"]["S"].partition("#")[0])
            sums[device_type, int(minute.timestamp())] += int(item["amount"]["N"])
        return dict(sums)

    def counter_items(self) -> Iterator[dict[str, Any]]:
        """Return the items of the run's minutes."""
        first, last = (datetime.fromtimestamp(each, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for each in self.plan.minutes)
        client: Any = self.target.app.aws.dynamodb
        for device_type in DEVICE_TYPES:
            pages = client.get_paginator("query").paginate(
                TableName=self.target.counters,
                ConsistentRead=True,
                KeyConditionExpression="#counter = :counter AND #bucket BETWEEN :first AND :last",
                ExpressionAttributeNames={"#counter": "counter", "#bucket": "bucket"},
                ExpressionAttributeValues={
                    ":counter": {"S": f"{self.target.counter}?device_type={device_type}"},
                    ":first": {"S": first},
                    ":last": {"S": f"{last}~"},  # after the names of all partitions
                },
            )
            yield from (item for page in pages for item in page["Items"])

    def table(self) -> dict[str, LoginRow]:
        """Return the newest login of each of the run's users."""
        found = self.target.context.pool.map(self._item, self.plan.users)
        return {item["user_id"]["S"]: _row(item) for item in found if item}

    def _item(self, user_id: str) -> dict[str, Any]:
        client: Any = self.target.app.aws.dynamodb
        answer = client.get_item(TableName=self.target.table, Key={"user_id": {"S": user_id}}, ConsistentRead=True)
        return dict(answer.get("Item", {}))

    def days(self) -> list[date]:
        """The days in whose folders the run can have written."""
        first, last = (self.began - CLOCKS).date(), (datetime.now(UTC) + CLOCKS).date()
        return [first + timedelta(days=number) for number in range((last - first).days + 1)]

    def _new(self, bucket: str, prefix: str) -> Iterator[str]:
        """Return the keys of objects that were written since the run began."""
        pages = self.target.app.aws.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        entries = (entry for page in pages for entry in page.get("Contents", ()))
        return (entry["Key"] for entry in entries if entry["LastModified"] >= self.began - CLOCKS)

    def _bodies(self, bucket: str, keys: Any) -> Iterator[bytes]:  # noqa: ANN401 - an iterable of keys
        s3 = self.target.app.aws.s3
        return self.target.context.pool.map(lambda key: s3.get_object(Bucket=bucket, Key=key)["Body"].read(), keys)


def _row(item: dict[str, Any]) -> LoginRow:
    values: dict[str, Any] = {name: item[name]["S"] if "S" in item[name] else int(item[name]["N"]) for name in FIELDS}
    return LoginRow(**values, at=int(datetime.fromisoformat(item["logged_in_at"]["S"]).timestamp()))
