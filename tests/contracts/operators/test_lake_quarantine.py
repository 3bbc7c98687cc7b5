"""Reading a lake object as it is stored, copying it, and deleting it while it is still the same."""

from dataclasses import replace
from datetime import date

import pytest

from functions.core.effects import Count
from functions.core.errors import Corrupt
from functions.core.intent import Cover, Intent
from functions.core.operator_ports import LakeObject
from functions.core.ports import Source
from tests.contracts.everything import FIRST, PIPELINE, rows
from tests.contracts.operators.conftest import Quarantine
from tests.intents import intent_with

DAY = date(2026, 11, 23)
COUNTS = ((Count("all", "colour=red", 60, 2), Count("all", "", 0, 1)), (Count("all", "", 120, 7),))


def intent(offset: int) -> Intent:
    return intent_with(PIPELINE.schema, rows(offset, FIRST), Cover(offset, offset, offset, 5), counts=COUNTS)


def stored(quarantine: Quarantine, source: Source, offset: int = 7) -> LakeObject:
    object_ = quarantine.quarantine.read(source, DAY, offset)
    assert object_ is not None
    return object_


@pytest.fixture
def there(quarantine: Quarantine, source: Source) -> LakeObject:
    """An object at offset 7 that is not damaged."""
    assert quarantine.lake.put(source, DAY, intent(7))
    return stored(quarantine, source)


def test_an_object_that_can_be_rolled_forward_has_no_problem(there: LakeObject) -> None:
    assert (there.problem, there.counts) == (None, COUNTS)
    assert there.url.partition(".parquet")[0].endswith("/day=2026-11-23/all.of-it-3-00000000000000000007")


def test_without_an_object_there_is_none(quarantine: Quarantine, source: Source) -> None:
    assert quarantine.quarantine.read(source, DAY, 7) is None
    assert list(quarantine.quarantine.copies(source, DAY, 7)) == []


@pytest.mark.usefixtures("there")
@pytest.mark.parametrize("counts", [COUNTS, None])
def test_a_damaged_object_has_a_problem_and_maybe_its_counts(
    quarantine: Quarantine, source: Source, counts: object
) -> None:
    quarantine.damage(source, DAY, 7, counts is not None)
    object_ = stored(quarantine, source)
    assert object_.counts == counts
    assert "`tandem quarantine` sets" in str(object_.problem)
    with pytest.raises(Corrupt):
        quarantine.lake.get(source, DAY, 7)


def test_a_copy_holds_the_content_and_is_made_once(quarantine: Quarantine, source: Source, there: LakeObject) -> None:
    url = quarantine.quarantine.copy(source, DAY, 7, there.content)
    assert quarantine.quarantine.copy(source, DAY, 7, there.content) == url
    assert list(quarantine.quarantine.copies(source, DAY, 7)) == [url]
    assert quarantine.copied(url) == there.content


def test_copies_of_other_objects_are_kept_apart(quarantine: Quarantine, source: Source) -> None:
    urls = [quarantine.quarantine.copy(source, DAY, 7, content) for content in (b"one", b"two")]
    other = quarantine.quarantine.copy(source, DAY, 70, b"one")
    neighbour = quarantine.quarantine.copy(replace(source, partition=33), DAY, 7, b"one")
    assert sorted(quarantine.quarantine.copies(source, DAY, 7)) == sorted(urls)
    assert len({*urls, other, neighbour}) == 4
    assert [quarantine.copied(url) for url in urls] == [b"one", b"two"]


def test_an_object_is_deleted_and_its_copy_stays(quarantine: Quarantine, source: Source, there: LakeObject) -> None:
    assert quarantine.lake.put(source, DAY, intent(8))
    url = quarantine.quarantine.copy(source, DAY, 7, there.content)
    for _ in range(2):
        assert quarantine.quarantine.delete(source, DAY, 7, there.tag)
    assert quarantine.lake.get(source, DAY, 7) is None
    assert quarantine.lake.get(source, DAY, 8) == intent(8)
    assert quarantine.copied(url) == there.content


def test_another_object_by_now_is_not_deleted(quarantine: Quarantine, source: Source, there: LakeObject) -> None:
    assert quarantine.quarantine.delete(source, DAY, 7, there.tag)
    another = replace(intent(7), rejects=3)
    assert quarantine.lake.put(source, DAY, another)
    assert not quarantine.quarantine.delete(source, DAY, 7, there.tag)
    assert quarantine.lake.get(source, DAY, 7) == another
