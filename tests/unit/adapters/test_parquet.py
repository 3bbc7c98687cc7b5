"""Parquet: rows read equal rows written, for all values, and other readers see plain columns."""

import json
import zoneinfo
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from io import BytesIO
from types import GenericAlias
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from arro3.core import Array, DataType, RecordBatch, Table
from arro3.io import read_parquet, write_parquet
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from functions.adapters import arrow, parquet
from functions.adapters.parquet import decode, encode
from functions.core.effects import Count, TableSpec, TopicSpec
from functions.core.intent import Cover
from functions.core.rows import Deletion, Rows
from functions.core.schema import Schema, schema_of
from tests.intents import intent_with

GREATEST = 2**63 - 1
SOURCE = ["_partition", "_offset", "_timestamp", "_timestamp_ms", "_row"]
MOMENTS = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2262, 4, 11, 23, 47, 16, 854_776, tzinfo=UTC),  # outside the range of nanoseconds
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
]


class Colour(Enum):
    RED = "red"
    BLUE = "blå"


class Level(IntEnum):
    LOW = -1
    HIGH = 2


class Place(BaseModel):
    city: str | None = None
    seen: datetime | None = None
    tags: list[str] | None = None


def decimals(precision: int, scale: int) -> st.SearchStrategy[Decimal]:
    return st.integers(1 - 10**precision, 10**precision - 1).map(lambda digits: Decimal(f"{digits}E-{scale}"))


Typed = tuple[Any, st.SearchStrategy[Any]]
SCALARS: list[Typed] = [
    (str, st.text()),
    (int, st.integers(-GREATEST - 1, GREATEST)),
    (float, st.floats(allow_nan=False, allow_infinity=False)),
    (bool, st.booleans()),
    (datetime, st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(fold=0))),  # UTC has no folds
    (
        datetime,
        st.datetimes(
            datetime(1, 1, 2),  # noqa: DTZ001 - here and below: hypothesis adds the zone
            datetime(9999, 12, 30),  # noqa: DTZ001
            timezones=st.sampled_from([timezone(timedelta(hours=14)), timezone(timedelta(minutes=-330))]),
        ),
    ),
    (date, st.dates()),
    (Decimal, decimals(38, 9)),
    (Annotated[Decimal, Field(max_digits=7, decimal_places=2)], decimals(7, 2)),
    (UUID, st.uuids()),
    (Colour, st.sampled_from(Colour)),
    (Level, st.sampled_from(Level)),
    (Literal["a", "b"], st.sampled_from(["a", "b"])),
]


def nested(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    return st.one_of(
        inner.map(lambda typed: (typed[0] | None, st.none() | typed[1])),
        inner.map(lambda typed: (GenericAlias(list, (typed[0],)), st.lists(typed[1], max_size=3))),
        inner.map(lambda typed: (GenericAlias(tuple, (typed[0], ...)), st.lists(typed[1], max_size=3).map(tuple))),
        st.lists(inner, min_size=1, max_size=3).map(modelled),
    )


def modelled(fields: list[Typed]) -> Typed:
    model = create_model("Model", **{f"f{at}": (typed, ...) for at, (typed, _) in enumerate(fields)})  # type: ignore[call-overload]
    values = {f"f{at}": value for at, (_, value) in enumerate(fields)}
    return model, st.fixed_dictionaries(values).map(lambda fields: model.model_construct(**fields))


MODELS = st.lists(st.recursive(st.sampled_from(SCALARS), nested, max_leaves=5), min_size=1, max_size=4).map(modelled)
KEYS = st.dictionaries(st.text(), st.text() | st.integers(-GREATEST - 1, GREATEST), max_size=2)
DELETES = st.builds(Deletion, st.integers(0, GREATEST), st.integers(0, 999), st.integers(0, GREATEST), KEYS)


def stored(schema: Schema, rows: list[Any], deletes: tuple[Deletion, ...] = ()) -> Rows:
    columns, problems = schema.columns(rows)
    assert not problems
    return Rows(
        [2 * at + 5 for at in range(len(rows))],
        [0] * len(rows),
        [1_764_000_000_000 - at for at in range(len(rows))],
        columns,
        deletes,
    )


def column(annotation: Any, *values: Any) -> tuple[Schema, Rows]:
    model = create_model("Row", x=(annotation, ...))
    schema = schema_of(model)
    return schema, stored(schema, [model.model_construct(x=value) for value in values])


def reread(schema: Schema, rows: Rows) -> Rows:
    return decode(encode(intent_with(schema, rows), 3)).rows


def table(data: bytes) -> Table:
    return read_parquet(BytesIO(data)).read_all()


@given(st.data(), st.lists(DELETES, max_size=3))
def test_rows_read_equal_rows_written_in_value_and_type(data: st.DataObject, deletes: list[Deletion]) -> None:
    model, values = data.draw(MODELS)
    schema = schema_of(model)
    rows = stored(schema, data.draw(st.lists(values, max_size=4)), tuple(deletes))
    # unlike ==, repr distinguishes -0.0 from 0.0, 1 from True, and time zones, and NaN equals itself
    assert repr(reread(schema, rows)) == repr(rows)


@pytest.mark.parametrize(
    ("annotation", "values"),
    [
        (int, [GREATEST, -GREATEST - 1, 0]),
        (datetime, MOMENTS),
        (datetime | None, [*MOMENTS, None]),
        (date | None, [date(1, 1, 1), date(9999, 12, 31), date(1970, 1, 1), None]),
        (str | None, ["", None, "😀 e\u0301", "a\0b", "x" * 100_000]),
        (float | None, [1.7976931348623157e308, 5e-324, -0.0, None]),
        (Decimal, [Decimal("9" * 29 + "." + "9" * 9), Decimal("-1E-9"), Decimal(0)]),
        (Annotated[Decimal, Field(max_digits=38, decimal_places=38)] | None, [Decimal("0." + "9" * 38), None]),
        (Annotated[Decimal, Field(max_digits=38, decimal_places=0)], [Decimal("-" + "9" * 38)]),
        (list[int | None] | None, [[1, None], [], None, [None]]),
        (list[list[str] | None], [[["a"], [], None], []]),
        (list[datetime | None], [[*MOMENTS, None], []]),
        (Place | None, [None, Place(), Place(city="", tags=[]), Place(seen=MOMENTS[0], tags=["a"])]),
        (list[Place | None] | None, [None, [], [None], [Place(), None, Place(seen=MOMENTS[-1])]]),
        (str | None, [None, None]),
    ],
)
def test_the_ends_of_every_range(annotation: Any, values: list[Any]) -> None:
    schema, rows = column(annotation, *values)
    assert repr(reread(schema, rows)) == repr(rows)


def test_no_rows_are_a_file_too() -> None:
    schema = schema_of(Place)
    nothing = stored(schema, [], (Deletion(7, 0, 8, {"city": "é", "id": -GREATEST - 1}),))
    assert reread(schema, nothing) == nothing
    assert table(encode(intent_with(schema), 3)).column_names == ["city", "seen", "tags", *SOURCE]


def test_other_readers_see_plain_columns_and_the_origin_of_each_row() -> None:
    model = create_model("Row", id=(UUID, ...), at=(datetime | None, ...), of=(list[Colour], ...))
    schema = schema_of(model)
    rows = stored(schema, [model.model_construct(id=UUID(int=1), at=MOMENTS[1], of=[Colour.BLUE])])
    seen = table(encode(intent_with(schema, rows, Cover(5, 5, 5, 1_764_000_000_000)), 3))
    assert [(field.name, field.type, field.nullable) for field in map(seen.schema.field, seen.column_names)] == [
        ("id", DataType.utf8(), False),
        ("at", DataType.timestamp("us", tz="UTC"), True),
        ("of", arrow.data_type(schema.column_type("of")), False),
        ("_partition", DataType.int32(), False),
        ("_offset", DataType.int64(), False),
        ("_timestamp", DataType.timestamp("ms", tz="UTC"), False),
        ("_timestamp_ms", DataType.int64(), False),
        ("_row", DataType.int32(), False),
    ]
    assert seen["_partition"].to_pylist() == [3]
    assert seen["_offset"].to_pylist() == [5]
    assert seen["_timestamp"].cast(DataType.int64()).to_pylist() == [1_764_000_000_000]
    assert seen["_timestamp_ms"].to_pylist() == [1_764_000_000_000]
    assert seen["of"].to_pylist() == [["blå"]]


@given(st.lists(st.integers(-GREATEST - 1, GREATEST), max_size=4), st.integers(-1, 253_402_300_799_999))
def test_any_timestamps_read_as_they_were_written_and_other_readers_see_real_times(
    timestamps: list[int], newest: int
) -> None:
    schema, rows = column(int, *timestamps)
    intent = intent_with(schema, replace(rows, timestamps=timestamps), Cover(0, 0, 9, newest))
    data = encode(intent, 3)
    assert decode(data) == intent
    readable = table(data)["_timestamp"].cast(DataType.int64()).to_pylist()
    assert readable == [sorted((0, timestamp, max(newest, 0)))[1] for timestamp in timestamps]


def test_deletes_are_no_rows() -> None:
    schema, rows = column(int, 1)
    deletes = (Deletion(6, 0, 9, {"x": ""}), Deletion(8, 0, 9, {"x": "\U0001f600", "y": 2**63 - 1}))
    data = encode(intent_with(schema, replace(rows, deletes=deletes)), 3)
    assert decode(data).rows.deletes == deletes
    assert table(data).num_rows == 1


class Person(BaseModel):
    tenant: str
    id: int
    name: str
    visits: list[datetime]
    place: Place


PERSON = Person(tenant="a", id=1, name="Ada", visits=[MOMENTS[1]], place=Place(city="Paris"))
PERSON_KEYS = st.fixed_dictionaries({"tenant": st.sampled_from("ab"), "id": st.integers(0, GREATEST)})


@given(st.integers(0, 2), st.lists(st.builds(Deletion, *[st.integers(0, 9)] * 3, PERSON_KEYS), max_size=3).map(tuple))
def test_with_history_other_readers_see_deletes_as_rows(count: int, deletes: tuple[Deletion, ...]) -> None:
    schema = schema_of(Person)
    rows = replace(stored(schema, [PERSON] * count), deletes=deletes)
    intent = intent_with(schema, rows, history=True)
    data = encode(intent, 3)
    assert decode(data) == intent
    read = table(data)
    assert read.column_names == ["tenant", "id", "name", "visits", "place", *SOURCE, "_deleted"]
    assert read["_deleted"].to_pylist() == [False] * count + [True] * len(deletes)
    assert read["_offset"].to_pylist() == [*rows.offsets, *(delete.offset for delete in deletes)]
    assert read["_row"].to_pylist() == [*rows.numbers, *(delete.number for delete in deletes)]
    keys = [(delete.keys["tenant"], delete.keys["id"]) for delete in deletes]
    assert list(zip(read["tenant"].to_pylist(), read["id"].to_pylist(), strict=True)) == [("a", 1)] * count + keys
    for name in ("name", "visits", "place"):
        assert [read[name][row].is_valid for row in range(len(read))] == [True] * count + [False] * len(deletes)


def test_a_file_whose_deletes_are_not_those_of_its_intent_is_damaged() -> None:
    schema = schema_of(Person)
    rows = stored(schema, [PERSON])
    two = replace(
        rows, deletes=(Deletion(6, 0, 9, {"tenant": "a", "id": 1}), Deletion(7, 0, 9, {"tenant": "b", "id": 1}))
    )
    for written_rows, intent_rows in ((two, rows), (rows, two)):
        read = table(encode(intent_with(schema, written_rows, history=True), 3))
        file = BytesIO()
        text = table(encode(intent_with(schema, intent_rows, history=True), 3)).schema.metadata_str[parquet.INTENT]
        write_parquet(read, file, key_value_metadata={parquet.INTENT: text}, skip_arrow_metadata=True)
        with pytest.raises(ValueError, match=r"'_deleted': expected the \d deletes after the rows"):
            decode(file.getvalue())


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-1, GREATEST)
SUMS = st.lists(st.tuples(TEXTS, st.integers() | st.decimals(allow_nan=False, allow_infinity=False)), max_size=2)
COUNTS = st.builds(Count, TEXTS, TEXTS, st.integers(-(10**11), 10**12), st.integers(1, 10_000), SUMS.map(tuple))
KEY_FIELDS = st.lists(TEXTS, max_size=2).map(tuple)
TABLES = st.builds(TableSpec, TEXTS, KEY_FIELDS, st.none() | TEXTS, st.none() | NUMBERS)
INTENTS = st.fixed_dictionaries({
    "cover": st.builds(Cover, NUMBERS, NUMBERS, NUMBERS, NUMBERS), "records": NUMBERS, "rejects": NUMBERS,
    "clock": NUMBERS, "counts": st.lists(st.lists(COUNTS, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple),
    "tables": st.lists(TABLES, max_size=2).map(tuple),
    "topics": st.lists(st.builds(TopicSpec, TEXTS, TEXTS), max_size=2).map(tuple),
})  # fmt: skip


@given(INTENTS, st.lists(DELETES, max_size=2).map(tuple))
def test_an_intent_reads_as_it_was_written(fields: dict[str, Any], deletes: tuple[Deletion, ...]) -> None:
    schema, rows = column(int, 1, 2)
    intent = intent_with(schema, replace(rows, deletes=deletes), **fields)
    assert repr(decode(encode(intent, 3))) == repr(intent)


@pytest.mark.parametrize("partition", [0, 2**31 - 1])
def test_an_intent_of_any_partition_is_read_by_the_schema_that_it_was_written_with(partition: int) -> None:
    schema, rows = column(list[Place], [Place(city="a")])
    intent = intent_with(schema, rows)
    assert decode(encode(intent, partition)) == intent


def written(part: slice = slice(None)) -> bytes:
    schema, rows = column(int, 1)
    return encode(intent_with(schema, rows), 3)[part]


@pytest.mark.parametrize(
    "data",
    [b"", b"not Parquet", written(slice(-9)), written(slice(9, None)), b"PAR1" * 5],
    ids=["empty", "text", "cut", "beheaded", "makes the reader panic"],
)
def test_an_incomplete_file_raises_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a Parquet file"):
        decode(data)


def file_of(columns: dict[str, Any], text: str | None) -> bytes:
    """Return a file with these columns and this intent, as another program would write it."""
    file = BytesIO()
    metadata = {} if text is None else {"tandem.intent": text}
    write_parquet(RecordBatch.from_pydict(columns), file, key_value_metadata=metadata, skip_arrow_metadata=True)
    return file.getvalue()


INTEGERS, STRINGS = Array([1], DataType.int64()), Array(["1"], DataType.utf8())
COORDINATES = {"_offset": INTEGERS, "_timestamp_ms": INTEGERS, "_row": Array([0], DataType.int32())}
GOOD = {"x": INTEGERS, **COORDINATES}
GOOD_BUT_TIME = {name: column for name, column in GOOD.items() if name != "_timestamp_ms"}
DOCUMENT: dict[str, Any] = {
    "version": 2, "cover": [0, 0, 0, 0], "records": 1, "rejects": 0, "clock": -1,
    "schema": [{"name": "x", "nullable": False, "type": "integer"}],
    "deletes": [], "counts": [[]], "tables": [], "topics": [],
}  # fmt: skip


def test_a_file_is_read_by_the_names_of_its_columns() -> None:
    """Columns in another order, and members and columns of a later release, change nothing."""
    later = {"later": STRINGS, **dict(reversed(GOOD.items()))}
    schema, rows = column(int, 1)
    read = decode(file_of(later, json.dumps(DOCUMENT | {"later": [1]})))
    assert read == intent_with(schema, replace(rows, offsets=[1], timestamps=[1]))


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({**COORDINATES}, "field 'x': the file has no such column"),
        ({"x": STRINGS, **COORDINATES}, "field 'x': expected a column of type Int64, got Utf8$"),
        (
            {"x": INTEGERS.cast(DataType.int32()), **COORDINATES},
            "field 'x': expected a column of type Int64, got Int32$",
        ),
        (GOOD_BUT_TIME, "field '_timestamp_ms': the file has no such column"),
        (
            {**GOOD, "_timestamp_ms": INTEGERS.cast(DataType.timestamp("ms", tz="UTC"))},
            "field '_timestamp_ms': expected a column of type Int64, got Timestamp",
        ),
        ({**GOOD, "_offset": STRINGS}, "field '_offset': expected a column of type Int64, got Utf8$"),
    ],
)
def test_a_column_that_is_not_what_the_intent_says_is_named(columns: dict[str, Array], why: str) -> None:
    with pytest.raises(ValueError, match=f"^{why}"):
        decode(file_of(columns, json.dumps(DOCUMENT)))


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in DOCUMENT.items() if key != name}


def field(**changes: Any) -> dict[str, Any]:
    return DOCUMENT | {"schema": [DOCUMENT["schema"][0] | changes]}


@pytest.mark.parametrize(
    ("document", "error", "why"),
    [
        (None, ValueError, "it has no intent"),
        (DOCUMENT | {"version": 1}, ValueError, "expected an intent of version 2, got 1"),
        (DOCUMENT | {"version": 3}, ValueError, "expected an intent of version 2, got 3"),
        *((without(name), KeyError, name) for name in DOCUMENT),
        (field(type="colour"), KeyError, "colour"),
        (field(type="decimal"), KeyError, "precision"),
        (field(type="list"), KeyError, "item"),
        (DOCUMENT | {"schema": [{"name": "x", "type": "integer"}]}, KeyError, "nullable"),
        (DOCUMENT | {"cover": [0, 0]}, TypeError, "end"),
        (DOCUMENT | {"counts": [[["c", ""]]]}, ValueError, "unpack"),
        (DOCUMENT | {"deletes": [[1, 2]]}, TypeError, "keys"),
        (DOCUMENT | {"tables": [["t", ["k"]]]}, ValueError, "unpack"),
        ([], TypeError, "list indices"),
    ],
    ids=str,
)
def test_an_intent_that_is_none_of_ours_names_what_is_wrong(document: object, error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        decode(file_of(GOOD, None if document is None else json.dumps(document)))


def test_an_intent_that_is_not_json_raises_value_error() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        decode(file_of(GOOD, "{"))


@pytest.mark.parametrize("ours", [KeyboardInterrupt, MemoryError])
def test_what_is_not_the_file_s_fault_is_raised_as_it_is(
    monkeypatch: pytest.MonkeyPatch, ours: type[BaseException]
) -> None:
    def read(_file: object) -> None:
        raise ours

    data = written()
    monkeypatch.setattr(parquet, "read_parquet", read)
    with pytest.raises(ours):
        decode(data)


def test_reading_needs_no_time_zones_of_the_system() -> None:
    schema, rows = column(list[datetime], MOMENTS)
    data = encode(intent_with(schema, rows), 3)
    zoneinfo.reset_tzpath(())
    zoneinfo.ZoneInfo.clear_cache()
    try:
        assert decode(data).rows == rows
    finally:
        zoneinfo.reset_tzpath()
