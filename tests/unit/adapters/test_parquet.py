"""Parquet: what is read equals what was written, whatever a row holds, and other readers see plain columns."""

import zoneinfo
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
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from functions.adapters import arrow, parquet
from functions.adapters.parquet import decode, encode
from functions.core.rows import Delete, Rows
from functions.core.schema import Schema, schema_of

GREATEST = 2**63 - 1
SOURCE = ["_partition", "_offset", "_timestamp"]
MOMENTS = [
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2262, 4, 11, 23, 47, 16, 854_776, tzinfo=UTC),  # beyond what fits nanoseconds
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
    (float, st.floats()),
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
    return model, st.fixed_dictionaries(values).map(lambda found: model.model_construct(**found))


MODELS = st.lists(st.recursive(st.sampled_from(SCALARS), nested, max_leaves=5), min_size=1, max_size=4).map(modelled)
DELETES = st.builds(Delete, st.integers(0, GREATEST), st.integers(0, GREATEST), st.binary(max_size=9))


def stored(schema: Schema, rows: list[Any], deletes: tuple[Delete, ...] = ()) -> Rows:
    columns, problems = schema.columns(rows)
    assert not problems
    return Rows(
        [2 * at + 5 for at in range(len(rows))], [1_764_000_000_000 - at for at in range(len(rows))], columns, deletes
    )


def column(annotation: Any, *values: Any) -> tuple[Schema, Rows]:
    model = create_model("Row", x=(annotation, ...))
    schema = schema_of(model)
    return schema, stored(schema, [model.model_construct(x=value) for value in values])


def table(data: bytes) -> Table:
    return read_parquet(BytesIO(data)).read_all()


@settings(deadline=None)
@given(st.data(), st.lists(DELETES, max_size=3))
def test_what_is_read_equals_what_was_written_in_value_and_type(data: st.DataObject, deletes: list[Delete]) -> None:
    model, values = data.draw(MODELS)
    schema = schema_of(model)
    rows = stored(schema, data.draw(st.lists(values, max_size=4)), tuple(deletes))
    # repr tells apart what == does not: -0.0 from 0.0, 1 from True, one zone from another; and takes NaN for itself
    assert repr(decode(schema, encode(schema, 3, rows))) == repr(rows)


@pytest.mark.parametrize(
    ("annotation", "values"),
    [
        (int, [GREATEST, -GREATEST - 1, 0]),
        (datetime, MOMENTS),
        (datetime | None, [*MOMENTS, None]),
        (date | None, [date(1, 1, 1), date(9999, 12, 31), date(1970, 1, 1), None]),
        (str | None, ["", None, "😀 e\u0301", "a\0b", "x" * 100_000]),
        (float | None, [float("inf"), 5e-324, -0.0, None]),
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
    assert repr(decode(schema, encode(schema, 3, rows))) == repr(rows)


def test_no_rows_are_a_file_too() -> None:
    schema = schema_of(Place)
    deletes = (Delete(7, 8, b"\xff\0"),)
    assert decode(schema, encode(schema, 3, Rows([], [], {}, deletes))) == stored(schema, [], deletes)
    assert table(encode(schema, 3, Rows([], [], {}))).column_names == ["city", "seen", "tags", *SOURCE]


def test_other_readers_see_plain_columns_and_where_each_row_came_from() -> None:
    model = create_model("Row", id=(UUID, ...), at=(datetime | None, ...), of=(list[Colour], ...))
    schema = schema_of(model)
    rows = stored(schema, [model.model_construct(id=UUID(int=1), at=MOMENTS[1], of=[Colour.BLUE])])
    seen = table(encode(schema, 3, rows))
    assert [(field.name, field.type, field.nullable) for field in map(seen.schema.field, seen.column_names)] == [
        ("id", DataType.utf8(), False),
        ("at", DataType.timestamp("us", tz="UTC"), True),
        ("of", arrow.data_type(schema.kind("of")), False),
        ("_partition", DataType.int32(), False),
        ("_offset", DataType.int64(), False),
        ("_timestamp", DataType.timestamp("ms", tz="UTC"), False),
    ]
    assert seen["_partition"].to_pylist() == [3]
    assert seen["_offset"].to_pylist() == [5]
    assert seen["_timestamp"].cast(DataType.int64()).to_pylist() == [1_764_000_000_000]
    assert seen["of"].to_pylist() == [["blå"]]


def test_deletes_are_no_rows() -> None:
    schema, rows = column(int, 1)
    deletes = (Delete(6, 9, b""), Delete(8, 9, bytes(range(256))))
    data = encode(schema, 3, Rows(rows.offsets, rows.timestamps, rows.columns, deletes))
    assert decode(schema, data).deletes == deletes
    assert table(data).num_rows == 1


def test_a_field_that_came_later_reads_as_none() -> None:
    schema, rows = column(int, 1, 2)
    later = schema_of(create_model("Row", x=(int, ...), y=(str | None, None)))
    assert decode(later, encode(schema, 3, rows)).columns == {"x": [1, 2], "y": [None, None]}


def written(part: slice = slice(None)) -> bytes:
    schema, rows = column(int, 1)
    return encode(schema, 3, rows)[part]


@pytest.mark.parametrize(
    "data",
    [b"", b"not Parquet", written(slice(-9)), written(slice(9, None)), b"PAR1" * 5],
    ids=["empty", "text", "cut", "beheaded", "makes the reader panic"],
)
def test_what_is_no_whole_file_raises_value_error(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a Parquet file"):
        decode(schema_of(Place), data)


def test_a_file_that_is_not_of_a_lake_raises_key_error() -> None:
    file = BytesIO()
    write_parquet(RecordBatch.from_pydict({"x": Array([1], DataType.int64())}), file)
    with pytest.raises(KeyError, match="_offset"):
        decode(schema_of(Place), file.getvalue())


@pytest.mark.parametrize("ours", [KeyboardInterrupt, MemoryError])
def test_what_is_not_the_file_s_fault_is_raised_as_it_is(
    monkeypatch: pytest.MonkeyPatch, ours: type[BaseException]
) -> None:
    def read(_file: object) -> None:
        raise ours

    data = written()
    monkeypatch.setattr(parquet, "read_parquet", read)
    with pytest.raises(ours):
        decode(schema_of(Place), data)


def test_reading_needs_no_time_zones_of_the_system() -> None:
    schema, rows = column(list[datetime], MOMENTS)
    data = encode(schema, 3, rows)
    zoneinfo.reset_tzpath(())
    zoneinfo.ZoneInfo.clear_cache()
    try:
        assert decode(schema, data) == rows
    finally:
        zoneinfo.reset_tzpath()
