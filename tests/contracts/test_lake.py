"""The lake, as settling and later releases need it: write once, read as it was written, the whole intent."""

from dataclasses import replace
from datetime import date
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from functions.core.effects import Count, TableSpec, TopicSpec
from functions.core.intent import Cover, Intent
from functions.core.ports import LakeStore, Source
from functions.core.rows import Deletion, Rows
from functions.core.schema import schema_of
from tests.contracts.everything import FIRST, PIPELINE, SECOND, Everything, rows
from tests.contracts.race import RACERS, raced
from tests.contracts.twins import fresh
from tests.intents import intent_with

DAY = date(2026, 11, 23)
COVER = Cover(7, 8, 9, 1_700_000_000_000)
DELETES = (
    Deletion(8, 0, 1_700_000_000_000, {"name": "zo\u00eb"}),
    Deletion(9, 0, -1, {"name": "", "number": -(2**63)}),
)
CHUNKS = (
    (Count("all", "colour=red&x=%26", -60, 1), Count("all", "", 10**11, 10**9)),
    (Count("more", "colour=\u00e9", 0, 2),),
    (),
)
TABLES = (TableSpec("by-name", ("name",), "at"), TableSpec("by-number", ("number",), None))


def intent(put: Rows | None = None, cover: Cover = COVER, **changes: Any) -> Intent:
    return intent_with(PIPELINE.schema, rows(7) if put is None else put, cover, **changes)


NOTHING = intent()
WHOLE = intent(
    rows(8, FIRST, SECOND, deletes=DELETES), records=5, rejects=1, clock=1_600_000_000_000, counts=CHUNKS,
    tables=TABLES, topics=(TopicSpec("out", "colour"), TopicSpec("out.2", "name")),
)  # fmt: skip


@pytest.mark.parametrize(
    "put",
    [
        intent(rows(8, FIRST, SECOND)),
        NOTHING,
        intent(rows(7, deletes=DELETES)),
        intent(rows(7, SECOND, deletes=DELETES)),
        intent(rows(7, SECOND, FIRST, deletes=DELETES), history=True),
        intent(rows(7, deletes=DELETES), history=True),
        intent(history=True),
        intent(counts=CHUNKS),
        intent(counts=tuple((Count("all", f"n={n}", 60 * n, n),) for n in range(300))),
        intent(tables=TABLES),
        WHOLE,
    ],
    ids=[
        "rows",
        "nothing",
        "deletes",
        "rows and deletes",
        "history",
        "history of deletes",
        "history of nothing",
        "counts",
        "many chunks",
        "tables",
        "everything",
    ],
)
def test_an_object_reads_as_it_was_put(lake: LakeStore, source: Source, put: Intent) -> None:
    assert lake.put(source, DAY, put)
    alike(lake.get(source, DAY, 7), put)


@given(
    st.lists(
        st.fixed_dictionaries({"name": st.text(), "ratio": st.floats(allow_nan=False), "tags": st.lists(st.text())})
    )
)
@settings(max_examples=25, deadline=None)
def test_any_rows_read_as_they_were_put(lake: LakeStore, drawn: list[dict[str, object]]) -> None:
    source, put = Source(fresh("pipeline"), "topic", 0), intent(rows(0, *(SECOND | fields for fields in drawn)))
    assert lake.put(source, DAY, put)
    alike(lake.get(source, DAY, 7), put)


class Inner(BaseModel):
    many: list[list[int | None]]


class OtherRelease(BaseModel):
    """The row model of another release, without a field of this one's."""

    nested: list[Inner | None] | None
    exact: Annotated[list[Annotated[int, Field()]], Field()]


def test_an_object_is_read_by_the_schema_that_it_was_written_with(lake: LakeStore, source: Source) -> None:
    """Fields are found by name: the same ones in another order, and those of another release."""
    columns: dict[str, list[object]] = {"nested": [None, [{"many": [[1, None], []]}, None]], "exact": [[], [2**63 - 1]]}
    other = intent_with(schema_of(OtherRelease), Rows([7, 9], [0, 0], [1, 2], columns), COVER)
    turned = replace(PIPELINE.schema, fields=PIPELINE.schema.fields[::-1])
    for day, put in ((DAY, other), (date(2026, 11, 24), intent_with(turned, rows(7, SECOND), COVER))):
        assert lake.put(source, day, put)
        alike(lake.get(source, day, 7), put)


def test_put_never_replaces(lake: LakeStore, source: Source) -> None:
    assert lake.put(source, DAY, intent(rows(8, FIRST)))
    assert not lake.put(source, DAY, intent(rows(7, SECOND, SECOND), Cover(7, 7, 30, 5)))
    assert not lake.put(source, DAY, intent(rows(8, FIRST)))
    assert not lake.put(source, DAY, WHOLE)
    alike(lake.get(source, DAY, 7), intent(rows(8, FIRST)))


def test_an_object_without_rows_is_not_replaced_either(lake: LakeStore, source: Source) -> None:
    assert lake.put(source, DAY, NOTHING)
    assert not lake.put(source, DAY, intent(rows(8, FIRST)))
    alike(lake.get(source, DAY, 7), NOTHING)


def test_offsets_days_partitions_topics_and_pipelines_have_separate_objects(lake: LakeStore, source: Source) -> None:
    places = [
        (source, DAY, 7),
        (source, DAY, 70),
        (source, date(2026, 11, 24), 7),
        (replace(source, partition=33), DAY, 7),
        (replace(source, topic=f"{source.topic}-3"), DAY, 7),
        (replace(source, pipeline=f"{source.pipeline}-x"), DAY, 7),
    ]
    puts = [intent(cover=Cover(offset, offset, 100 + n, n)) for n, (*_, offset) in enumerate(places)]
    assert all(lake.put(where, day, put) for (where, day, _), put in zip(places, puts, strict=True))
    assert [lake.get(*place) for place in places] == puts


@pytest.mark.parametrize("cover", [Cover(0, 2**62, 2**63 - 1, -1), Cover(0, 0, 0, 2**63 - 1)])
def test_extreme_covers_read_as_they_were_put(lake: LakeStore, source: Source, cover: Cover) -> None:
    assert lake.put(source, DAY, intent(cover=cover, clock=2**63 - 1))
    alike(lake.get(source, DAY, 0), intent(cover=cover, clock=2**63 - 1))


def test_where_nothing_was_put_there_is_nothing(lake: LakeStore, source: Source) -> None:
    assert lake.get(source, DAY, 7) is None
    assert lake.put(source, DAY, NOTHING)
    assert lake.get(source, DAY, 8) is None
    assert lake.get(source, date(2026, 11, 24), 7) is None
    assert lake.get(replace(source, partition=33), DAY, 7) is None


def test_exactly_one_of_concurrent_writers_puts(lake: LakeStore, source: Source) -> None:
    puts = [intent(rows(7, FIRST | {"number": n}), Cover(7, 7, 10 + n, n), records=n) for n in range(RACERS)]
    won = raced(lambda n: lake.put(source, DAY, puts[n]))
    assert won.count(True) == 1
    alike(lake.get(source, DAY, 7), puts[won.index(True)])


def test_every_field_of_everything_is_in_the_rows_compared() -> None:
    assert [field.name for field in PIPELINE.schema.fields] == list(Everything.model_fields)


def alike(got: Intent | None, put: Intent) -> None:
    """Assert equality in value and type, deeply: 1 is not True, and a tuple is no list."""
    assert got == put
    assert typed(got) == typed(put)


def typed(value: Any) -> object:
    if isinstance(value, Intent | Cover | Rows):
        return type(value), [typed(getattr(value, name)) for name in type(value).__slots__]
    if isinstance(value, dict):
        return dict, {name: typed(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value), [typed(item) for item in value]
    return type(value), value
