"""Finding and reading dead letters where adapters.dead_letters puts them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from functions.adapters.aws_errors import calling
from functions.adapters.letter_json import parse
from functions.adapters.objects import Objects
from functions.core.dead_letter import DeadLetter, Reason
from functions.core.errors import Corrupt
from functions.operate.place import Place

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Found(NamedTuple):
    """A letter as its key tells it. `day` is that of the record's timestamp, `stored` when it became a letter."""

    key: str
    reason: str
    day: str
    place: Place
    stored: datetime


@dataclass(frozen=True, slots=True)
class Letters:
    """The dead letters of one pipeline. Listing takes a request for each 1,000 letters."""

    s3: "S3Client"
    bucket: str
    pipeline: str

    def found(self, reason: Reason | None = None, day: str | None = None) -> Iterator[Found]:
        """All letters, or those of a reason, of a day (YYYY-MM-DD), or of both."""
        for prefix in self._prefixes(reason, day):
            for entry in self._list(prefix):
                yield found(entry["Key"], entry["LastModified"])

    def at(self, place: Place) -> list[Found]:
        """The letters of one record: usually one, two where another deploy rejected it for another reason."""
        name = f"{place.topic}-{place.partition}-{place.offset:020d}.json"
        days = [day for reason in Reason for day in self._days(reason)]
        return [found(entry["Key"], entry["LastModified"]) for day in days for entry in self._list(f"{day}{name}")]

    def read(self, letter: Found) -> DeadLetter:
        """The whole letter. Corrupt when it is not there any more, or is none."""
        body = Objects(self.s3, self.bucket).get(letter.key)
        if body is None:
            raise Corrupt(f"s3://{self.bucket}/{letter.key}: was there a moment ago, and is gone")
        try:
            return parse(body[0])
        except Corrupt as error:
            raise Corrupt(f"s3://{self.bucket}/{letter.key}: {error}") from None

    def _prefixes(self, reason: Reason | None, day: str | None) -> list[str]:
        if reason is None and day is None:
            return [f"{self.pipeline}/reason="]
        reasons = Reason if reason is None else [reason]
        return [f"{self.pipeline}/reason={each.value}/day={day or ''}" + ("/" if day else "") for each in reasons]

    def _days(self, reason: Reason) -> Iterator[str]:
        for page in self._pages(Prefix=f"{self.pipeline}/reason={reason.value}/day=", Delimiter="/"):
            for each in page.get("CommonPrefixes", ()):
                yield each["Prefix"]

    def _list(self, prefix: str) -> Iterator[Any]:
        for page in self._pages(Prefix=prefix):
            yield from page.get("Contents", ())

    def _pages(self, **asked: Any) -> Iterator[Any]:  # noqa: ANN401 - S3's own parameters
        with calling(f"s3://{self.bucket}"):
            yield from self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, **asked)


def found(key: str, stored: datetime) -> Found:
    """A key, read; Corrupt for one that no letter has."""
    try:
        _, reason, day, name = key.split("/")
        topic, partition, offset = name.removesuffix(".json").rsplit("-", 2)
        place = Place(topic, int(partition), int(offset))
    except ValueError:
        raise Corrupt(f"{key}: is not the key of a dead letter") from None
    return Found(key, reason.removeprefix("reason="), day.removeprefix("day="), place, stored)
