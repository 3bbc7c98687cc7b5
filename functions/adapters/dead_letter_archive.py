"""Listing and reading the dead letters that adapters.dead_letters stores."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.adapters.letter_json import parse
from functions.adapters.letter_key import file_name, parse_letter_key, prefix
from functions.adapters.objects import Objects
from functions.core.dead_letter import DeadLetter, Reason
from functions.core.errors import Corrupt
from functions.core.operator_ports import LetterEntry
from functions.core.record_place import RecordPlace

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class S3DeadLetterArchive:
    """See operator_ports.DeadLetterArchive. A listing sends one request per 1,000 letters."""

    s3: "S3Client"
    bucket: str
    pipeline: str

    def entries(self, reason: Reason | None = None, day: str | None = None) -> Iterator[LetterEntry]:
        """See operator_ports.DeadLetterArchive."""
        reasons = list(Reason) if reason is None and day is not None else [reason]
        for wanted in reasons:
            yield from self._entries(prefix(self.pipeline, wanted, day))

    def entries_of(self, place: RecordPlace) -> list[LetterEntry]:
        """See operator_ports.DeadLetterArchive. One request for each reason and day."""
        objects = Objects(self.s3, self.bucket)
        days = [day for reason in Reason for day in objects.folders(prefix(self.pipeline, reason))]
        return [entry for day in days for entry in self._entries(f"{day}{file_name(place)}")]

    def read(self, entry: LetterEntry) -> DeadLetter:
        """See operator_ports.DeadLetterArchive. One request."""
        found = Objects(self.s3, self.bucket).get(entry.key)
        if found is None:
            raise Corrupt(f"s3://{self.bucket}/{entry.key}: was listed, and does not exist any more")
        try:
            return parse(found[0])
        except Corrupt as error:
            raise Corrupt(f"s3://{self.bucket}/{entry.key}: {error}") from None

    def _entries(self, begin: str) -> Iterator[LetterEntry]:
        for key, stored in Objects(self.s3, self.bucket).list(begin):
            yield LetterEntry(key, *parse_letter_key(key), stored)
