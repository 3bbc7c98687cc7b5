from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from functions.adapters.aws import Aws
from functions.adapters.dead_letter_archive import S3DeadLetterArchive
from functions.core.dead_letter import DeadLetter, Reason
from functions.core.errors import Corrupt
from functions.core.record_place import RecordPlace
from tests.contracts.conftest import DEAD
from tests.contracts.operators.conftest import Archive

LETTER = DeadLetter(
    "pipeline", "all.of-it", 3, 7, 1_795_440_410_000, b"k", b'{"a": 1}', [("trace", None)], Reason.REJECTED, "why", ""
)
TOMORROW = LETTER.timestamp + 86_400_000


@pytest.fixture
def stocked(archive: Archive, name: str) -> Archive:
    letter = replace(LETTER, pipeline=name)
    archive.store.store([
        replace(letter, offset=1), replace(letter, offset=2, timestamp=TOMORROW),
        replace(letter, offset=3, reason=Reason.FAILED),
    ])  # fmt: skip
    return archive


@pytest.mark.parametrize(
    ("reason", "day", "offsets"),
    [
        (None, None, [1, 2, 3]),
        (Reason.REJECTED, None, [1, 2]),
        (None, "2026-11-23", [1, 3]),
        (Reason.REJECTED, "2026-11-24", [2]),
        (Reason.INVALID, None, []),
        (None, "2026-11-25", []),
    ],
)
def test_letters_are_listed_by_reason_and_day(
    stocked: Archive, reason: Reason | None, day: str | None, offsets: list[int]
) -> None:
    assert sorted(entry.place.offset for entry in stocked.archive.entries(reason, day)) == offsets


def test_an_entry_says_what_its_letter_is(stocked: Archive) -> None:
    (entry,) = stocked.archive.entries(Reason.FAILED)
    assert (entry.reason, entry.day, entry.place) == ("failed", "2026-11-23", RecordPlace("all.of-it", 3, 3))
    assert abs(datetime.now(UTC) - entry.stored) < timedelta(minutes=5)
    assert entry.key.endswith("/reason=failed/day=2026-11-23/all.of-it-3-00000000000000000003.json")


def test_the_letters_of_other_pipelines_are_not_listed(stocked: Archive, name: str) -> None:
    stocked.store.store([replace(LETTER, pipeline=f"{name}-more", offset=9)])
    assert len(list(stocked.archive.entries())) == 3
    assert stocked.archive.entries_of(RecordPlace(LETTER.topic, 3, 9)) == []


def test_a_record_is_found_with_all_of_its_letters(stocked: Archive, name: str) -> None:
    place = RecordPlace(LETTER.topic, 3, 2)
    (entry,) = stocked.archive.entries_of(place)
    assert stocked.archive.read(entry) == replace(LETTER, pipeline=name, offset=2, timestamp=TOMORROW)
    stocked.store.store([replace(LETTER, pipeline=name, offset=2, reason=Reason.INVALID)])
    entries = stocked.archive.entries_of(place)
    assert {each.reason for each in entries} == {"rejected", "invalid"}
    assert {each.place for each in entries} == {place}
    assert stocked.archive.entries_of(RecordPlace(LETTER.topic, 3, 20)) == []


def test_a_letter_that_does_not_exist_any_more_is_corrupt(stocked: Archive) -> None:
    entry = next(stocked.archive.entries())
    with pytest.raises(Corrupt, match="does not exist any more"):
        stocked.archive.read(entry._replace(key=f"{entry.key}.gone"))


def test_an_object_that_is_no_letter_is_corrupt_and_named(aws: Aws, name: str) -> None:
    key = f"{name}/reason=failed/day=2026-11-23/all.of-it-3-00000000000000000003.json"
    aws.s3.put_object(Bucket=DEAD, Key=key, Body=b"{}")
    archive = S3DeadLetterArchive(aws.s3, DEAD, name)
    (entry,) = archive.entries()
    with pytest.raises(Corrupt, match=f"{key}: not a dead letter"):
        archive.read(entry)
