"""Erasing: every version is found, replaced only while it is the one that was read, and removed for good.

The real stores are buckets with versions, as a stage's are, and one without.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from functions.adapters.aws import Aws
from functions.adapters.batch_eraser import S3BatchEraser
from functions.adapters.dead_letters import S3DeadLetters
from functions.adapters.lake import S3Lake, key
from functions.adapters.lake_eraser import S3LakeEraser
from functions.adapters.lake_quarantine import S3LakeQuarantine
from functions.adapters.letter_eraser import S3LetterEraser
from functions.adapters.memory import MemoryLake, MemoryTable
from functions.adapters.memory_eraser import (
    MemoryBatchEraser,
    MemoryLakeEraser,
    MemoryLetterEraser,
    MemoryTableEraser,
)
from functions.adapters.memory_operators import MemoryDeadLetterArchive, MemoryDiscardedBatches
from functions.adapters.table import DynamoTable
from functions.adapters.table_eraser import DynamoTableEraser
from functions.core import names
from functions.core.dead_letter import DeadLetter, Reason
from functions.core.effects import Count, Newest, Order, TableSpec, TopicSpec
from functions.core.erase_ports import BatchEraser, LakeEraser, LetterEraser, StoredVersion, TableEraser, TableItem
from functions.core.erasure import Subject, without
from functions.core.errors import Corrupt
from functions.core.intent import Cover, Intent
from functions.core.ports import DeadLetters, LakeStore, Source, TableStore
from functions.core.record_place import RecordPlace
from functions.core.rows import Deletion
from tests.contracts.conftest import STAGE
from tests.contracts.everything import FIRST, NOW, PIPELINE, SECOND, rows
from tests.contracts.twins import fresh
from tests.intents import intent_with

DAY = date(2026, 11, 23)
ZOE = Subject("Zoë", "name", frozenset({"Zoë"}))
LETTER = DeadLetter("pipeline", "all.of-it", 3, 7, 1_795_440_410_000, b"k", b"v", [], Reason.REJECTED, "why", "")
DELETES = (Deletion(9, 0, 5, {"name": "Zoë", "number": 4}), Deletion(9, 1, 5, {"name": "", "number": 4}))


def intent(offset: int = 7) -> Intent:
    """Return an intent of which every part is Zoë's and another person's."""
    return intent_with(
        PIPELINE.schema, rows(offset, FIRST, SECOND, FIRST, deletes=DELETES), Cover(offset - 2, offset, 20, 99),
        counts=((Count("by-name", "name=Zo%C3%AB", 60, 2), Count("all", "", 60, 3, (("price", Decimal("1.50")),))),),
        tables=(TableSpec("by-name", ("name",), "at", 60),), topics=(TopicSpec("out", "name"),), sinks=("own",),
        history=True, rejects=2, clock=17,
    )  # fmt: skip


@pytest.fixture(params=["memory", "versioned", "unversioned"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bucket(request: pytest.FixtureRequest, kind: str) -> tuple[Aws, str]:
    """A bucket of this test alone."""
    aws: Aws = request.getfixturevalue("aws")
    name = fresh("erasing")
    aws.s3.create_bucket(Bucket=name)
    if kind == "versioned":
        aws.s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return aws, name


@dataclass(frozen=True)
class Lakes:
    """A lake, its eraser, and a function that puts another object in the place of one, as a deletion and a put do."""

    lake: LakeStore
    eraser: LakeEraser
    put_again: Callable[[Source, Intent], object]


@pytest.fixture
def lakes(request: pytest.FixtureRequest, kind: str, source: Source) -> Lakes:
    if kind == "memory":
        memory = MemoryLake()
        eraser = MemoryLakeEraser(memory, source.pipeline)

        def put_again(source: Source, another: Intent) -> None:
            place = (source, DAY, another.cover.next)
            eraser.old.setdefault(place, []).append(memory.objects.pop(place))
            memory.put(source, DAY, another)

        return Lakes(memory, eraser, put_again)
    aws, name = request.getfixturevalue("bucket")

    def delete_and_put(source: Source, another: Intent) -> None:
        aws.s3.delete_object(Bucket=name, Key=key(source, DAY, another.cover.next))
        assert S3Lake(aws.s3, name).put(source, DAY, another)

    return Lakes(S3Lake(aws.s3, name), S3LakeEraser(aws.s3, name, name, source.pipeline), delete_and_put)


def only(eraser: LakeEraser | LetterEraser | BatchEraser) -> StoredVersion:
    (version,) = eraser.versions()
    return version


def test_a_replaced_object_keeps_everything_but_the_persons_parts(lakes: Lakes, source: Source) -> None:
    assert lakes.lake.put(source, DAY, intent())
    version = only(lakes.eraser)
    assert (version.place, version.replaceable) == (RecordPlace("all.of-it", 3, 5), True)
    stored = lakes.eraser.read(version)
    assert stored is not None
    left, parts = without(stored.intent, ZOE)
    assert parts == (2, 1, 1)
    assert lakes.eraser.replace(version, stored.tag, left)
    found = lakes.lake.get(source, DAY, 5)
    assert found == without(intent(), ZOE)[0]
    assert (found.rows.offsets, found.rows.numbers) == ([8], [0])
    assert (found.cover, found.clock, found.rejects, found.tables) == (
        intent().cover, 17, 2, (TableSpec("by-name", ("name",), "at", 60),),
    )  # fmt: skip


def test_the_version_before_is_gone(lakes: Lakes, source: Source) -> None:
    lakes.lake.put(source, DAY, intent())
    version = only(lakes.eraser)
    stored = lakes.eraser.read(version)
    assert stored is not None
    lakes.eraser.replace(version, stored.tag, without(stored.intent, ZOE)[0])
    after = lakes.eraser.read(only(lakes.eraser))
    assert after is not None
    assert not any(without(after.intent, ZOE)[1])


def test_an_object_that_was_replaced_is_still_put_only_if_absent(lakes: Lakes, source: Source) -> None:
    lakes.lake.put(source, DAY, intent())
    version = only(lakes.eraser)
    stored = lakes.eraser.read(version)
    assert stored is not None
    lakes.eraser.replace(version, stored.tag, without(stored.intent, ZOE)[0])
    assert not lakes.lake.put(source, DAY, intent())
    assert lakes.lake.get(source, DAY, 5) == without(intent(), ZOE)[0]


def test_another_object_by_now_is_not_replaced(lakes: Lakes, source: Source) -> None:
    lakes.lake.put(source, DAY, intent())
    version = only(lakes.eraser)
    stored = lakes.eraser.read(version)
    assert stored is not None
    another = replace(intent(), rejects=5)
    lakes.put_again(source, another)
    assert not lakes.eraser.replace(version, stored.tag, without(stored.intent, ZOE)[0])
    assert lakes.lake.get(source, DAY, 5) == another


def test_old_versions_are_listed_and_removed(lakes: Lakes, source: Source, kind: str) -> None:
    lakes.lake.put(source, DAY, intent())
    another = replace(intent(), rejects=5)
    lakes.put_again(source, another)
    old = [version for version in lakes.eraser.versions() if not version.replaceable]
    assert len(old) == (kind != "unversioned")
    for version in old * 2:
        lakes.eraser.remove(version)
        assert lakes.eraser.read(version) is None
    assert only(lakes.eraser).replaceable
    assert lakes.lake.get(source, DAY, 5) == another


def test_the_objects_of_other_pipelines_are_not_listed(lakes: Lakes, source: Source) -> None:
    lakes.lake.put(replace(source, pipeline=f"{source.pipeline}-more"), DAY, intent())
    assert list(lakes.eraser.versions()) == []


@pytest.mark.parametrize("kind", ["versioned", "unversioned"])
def test_copies_that_were_set_aside_are_listed(bucket: tuple[Aws, str], source: Source) -> None:
    aws, name = bucket
    S3Lake(aws.s3, name).put(source, DAY, intent())
    quarantine = S3LakeQuarantine(aws.s3, name, name)
    stored = quarantine.read(source, DAY, 5)
    assert stored is not None
    url = quarantine.copy(source, DAY, 5, stored.content)
    eraser = S3LakeEraser(aws.s3, name, name, source.pipeline)
    (copy,) = (version for version in eraser.versions() if version.url == url)
    assert (copy.place, copy.replaceable) == (RecordPlace("all.of-it", 3, 5), False)
    found = eraser.read(copy)
    assert found is not None
    assert found.intent == intent()
    eraser.remove(copy)
    assert list(quarantine.copies(source, DAY, 5)) == []


@pytest.mark.parametrize("kind", ["unversioned"])
def test_what_cannot_be_read_whole_is_corrupt(
    bucket: tuple[Aws, str], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws, name = bucket
    S3Lake(aws.s3, name).put(source, DAY, intent())
    aws.s3.put_object(Bucket=name, Key=f"{source.pipeline}/day=2026-11-23/notes.txt", Body=b"x")
    eraser = S3LakeEraser(aws.s3, name, name, source.pipeline)
    object_, notes = eraser.versions()
    assert notes.place is None
    with pytest.raises(Corrupt, match=r"notes\.txt: not a Parquet file"):
        eraser.read(notes)
    with pytest.raises(Corrupt, match="is not the key of a lake object"):
        eraser.replace(notes, "", intent())
    monkeypatch.setattr("functions.adapters.lake_eraser.unknown_members", lambda *_: ["more"])
    with pytest.raises(Corrupt, match="a later version has written more: erase with that one"):
        eraser.read(object_)


@pytest.fixture
def letters(request: pytest.FixtureRequest, kind: str, name: str) -> tuple[DeadLetters, LetterEraser]:
    if kind == "memory":
        memory = MemoryDeadLetterArchive(name)
        return memory, MemoryLetterEraser(memory)
    aws, bucket = request.getfixturevalue("bucket")
    return S3DeadLetters(aws.object_puts, bucket), S3LetterEraser(aws.s3, bucket, name)


def test_letters_are_listed_read_and_removed(letters: tuple[DeadLetters, LetterEraser], name: str) -> None:
    store, eraser = letters
    letter = replace(LETTER, pipeline=name)
    store.store([letter, replace(LETTER, pipeline=f"{name}-more")])
    version = only(eraser)
    assert version.place == RecordPlace("all.of-it", 3, 7)
    assert eraser.read(version) == letter
    for _ in range(2):
        eraser.remove(version)
    assert eraser.read(version) is None
    assert list(eraser.versions()) == []


@pytest.mark.parametrize("kind", ["versioned"])
def test_an_object_that_is_no_letter_is_corrupt(bucket: tuple[Aws, str], name: str) -> None:
    aws, bucket_name = bucket
    aws.s3.put_object(Bucket=bucket_name, Key=f"{name}/reason=failed/x", Body=b"{}")
    eraser = S3LetterEraser(aws.s3, bucket_name, name)
    version = only(eraser)
    assert version.place is None
    with pytest.raises(Corrupt, match="reason=failed/x: not a dead letter"):
        eraser.read(version)


@pytest.fixture
def batches(request: pytest.FixtureRequest, kind: str) -> BatchEraser:
    """Batches, of which there is one: b"before"."""
    if kind == "memory":
        return MemoryBatchEraser(MemoryDiscardedBatches({"aws/lambda/x": b"before"}))
    aws, name = request.getfixturevalue("bucket")
    aws.s3.put_object(Bucket=name, Key="aws/lambda/x", Body=b"before")
    return S3BatchEraser(aws.s3, name)


def test_batches_are_replaced_and_removed(batches: BatchEraser) -> None:
    version = only(batches)
    stored = batches.read(version)
    assert stored is not None
    assert (stored.body, version.replaceable) == (b"before", True)
    assert batches.replace(version, stored.tag, b"after")
    assert not batches.replace(version, stored.tag, b"late")
    version = only(batches)
    after = batches.read(version)
    assert after is not None
    assert after.body == b"after"
    for _ in range(2):
        batches.remove(version)
    assert batches.read(version) is None
    assert not batches.replace(version, after.tag, b"late")
    assert list(batches.versions()) == []


@dataclass(frozen=True)
class Tables:
    """A table by `name` and its eraser."""

    table: TableStore
    eraser: TableEraser


@pytest.fixture(params=["memory", "aws"])
def tables(request: pytest.FixtureRequest) -> Tables:
    if request.param == "memory":
        memory = MemoryTable()
        return Tables(memory, MemoryTableEraser(memory, ("name",)))
    aws: Aws = request.getfixturevalue("aws")
    table = names.rows_table(STAGE, "by-name")
    return Tables(DynamoTable(aws.item_puts, table, ("name",)), DynamoTableEraser(aws.dynamodb, table, ("name",)))


def newest(key: str, offset: int, row: dict[str, Any] | None, at: datetime = NOW) -> Newest:
    return Newest((key,), Order(int(at.timestamp()), offset, 3), row)


def test_items_are_found_by_the_key_of_the_table(tables: Tables, name: str) -> None:
    tables.table.put([newest(name, 1, FIRST), newest(f"{name}-deleted", 1, None), newest(f"{name}-other", 1, FIRST)])
    found = tables.eraser.find("name", [name, f"{name}-deleted", f"{name}-nobody"])
    assert [item.key["name"] for item in found] == [name, f"{name}-deleted"]
    for item in [*found, *found]:
        assert tables.eraser.remove(item)
    assert tables.eraser.find("name", [name, f"{name}-deleted"]) == []
    assert len(tables.eraser.find("name", [f"{name}-other"])) == 1


@pytest.mark.parametrize(("column", "values"), [("number", [41, 42]), ("colour", ["red", "COLOUR"])])
def test_items_are_found_by_another_column(tables: Tables, name: str, column: str, values: list[Any]) -> None:
    colour = f"red-{name}"
    wanted = [colour if value == "red" else value for value in values]
    others = {"number": 43, "colour": "green"}
    tables.table.put([
        newest(f"{name}-1", 1, FIRST | others | {column: wanted[0]}), newest(f"{name}-2", 1, FIRST | others),
    ])  # fmt: skip
    found = [item for item in tables.eraser.find(column, wanted) if str(item.key["name"]).startswith(name)]
    assert [item.key for item in found] == [{"name": f"{name}-1"}]


def test_an_item_that_was_written_again_is_not_removed(tables: Tables, name: str) -> None:
    tables.table.put([newest(name, 1, FIRST)])
    (item,) = tables.eraser.find("name", [name])
    tables.table.put([newest(name, 2, FIRST)])
    assert not tables.eraser.remove(item)
    (again,) = tables.eraser.find("name", [name])
    assert tables.eraser.remove(again)
    assert tables.eraser.remove(TableItem({"name": name}, ""))


@pytest.mark.parametrize("column", ["number", "name"])
def test_items_of_a_table_with_a_sort_key_are_found_by_each_part(aws: Aws, column: str) -> None:
    table, key_fields = fresh("sorted"), ("number", "name")
    aws.dynamodb.create_table(
        TableName=table, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "number", "AttributeType": "N"}, {"AttributeName": "name", "AttributeType": "S"},
        ],
        KeySchema=[{"AttributeName": "number", "KeyType": "HASH"}, {"AttributeName": "name", "KeyType": "RANGE"}],
    )  # fmt: skip
    keys = [(1, "a"), (1, "b"), (2, "a")]
    DynamoTable(aws.item_puts, table, key_fields).put(
        [
            Newest(each, Order(1, number, 3), FIRST | dict(zip(key_fields, each, strict=True)))
            for number, each in enumerate(keys)
        ]
    )
    eraser = DynamoTableEraser(aws.dynamodb, table, key_fields)
    value: str | int = 1 if column == "number" else "a"
    found = eraser.find(column, [value])
    expected = keys[:2] if column == "number" else [keys[0], keys[2]]
    assert sorted(tuple(item.key[name] for name in key_fields) for item in found) == expected
    assert all(eraser.remove(item) for item in found)
    assert eraser.find(column, [value]) == []
