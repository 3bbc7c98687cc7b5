"""Schemas: the types that a row may hold, and their canonical values."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal, NewType, Optional
from uuid import UUID

import pytest
from pydantic import AwareDatetime, BaseModel, Field, FutureDate, NaiveDatetime, PastDatetime, SecretStr, create_model

from functions.core.column_types import Boolean, Day, Float, Integer, ListOf, Number, Struct, Text, Timestamp, Uuid
from functions.core.column_types import Field as Stored
from functions.core.errors import InvalidPipeline
from functions.core.schema import schema_of

UserId = NewType("UserId", str)


class Colour(StrEnum):
    RED = "red"


class Plain(Enum):
    ONE = "one"


class Level(IntEnum):
    LOW = 1


class Mixed(Enum):
    A = "a"
    B = 2


class Absent(Enum):
    ONE = "one"
    NONE = None


class Empty(BaseModel):
    pass


class Place(BaseModel):
    city: str
    at: datetime | None = None


class Tree(BaseModel):
    children: list["Tree"]


class Alias:
    """Stands for a `type X = str` alias, which Python 3.11 has no syntax for."""

    __value__ = str


def column_type(annotation: Any, **field: Any) -> tuple[Any, bool]:
    (stored,) = schema_of(create_model("Row", x=(annotation, Field(**field)))).fields
    return stored.column_type, stored.nullable


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (str, Text()), (int, Integer()), (float, Float()), (bool, Boolean()), (datetime, Timestamp()), (date, Day()),
        (UUID, Uuid()), (Decimal, Number(38, 9)), (Colour, Text()), (Plain, Text()), (Level, Integer()),
        (Literal["a", "b"], Text()), (Literal[1, 2], Integer()), (UserId, Text()),
        (Annotated[str, Field(min_length=1)], Text()), (list[int], ListOf(Integer(), nullable=False)),
        (list[list[str | None]], ListOf(ListOf(Text(), nullable=True), nullable=False)),
        (tuple[int | None, ...], ListOf(Integer(), nullable=True)), (Literal[Plain.ONE, "two"], Text()),
        (AwareDatetime, Timestamp()), (PastDatetime, Timestamp()), (FutureDate, Day()),
        (Place, Struct((Stored("city", Text(), nullable=False), Stored("at", Timestamp(), nullable=True)))),
    ],
)  # fmt: skip
def test_a_row_may_hold_these_types(annotation: Any, expected: Any) -> None:
    assert column_type(annotation) == (expected, False)
    assert column_type(Optional[annotation]) == (expected, True)  # noqa: UP045 - the old spelling must also work


def test_decimals_declare_their_digits() -> None:
    assert column_type(Decimal, max_digits=10, decimal_places=2) == (Number(10, 2), False)
    assert column_type(Annotated[Decimal, Field(max_digits=8, decimal_places=0)] | None) == (Number(8, 0), True)
    with pytest.raises(
        InvalidPipeline, match=r"Row\.x: expected a Decimal of at most 38 digits, got 50 with 9 decimals"
    ):
        column_type(Decimal, max_digits=50)


def test_decimals_without_room_for_digits_are_refused() -> None:
    with pytest.raises(
        InvalidPipeline, match=r"Row\.x: expected decimal_places too, because max_digits is below 9, got 5"
    ):
        column_type(Decimal, max_digits=5)
    with pytest.raises(
        InvalidPipeline, match=r"Row\.x: expected a Decimal of at most 38 digits, got 0 with 0 decimals"
    ):
        column_type(Decimal, max_digits=0, decimal_places=0)


def test_none_among_literals_is_nullable() -> None:
    assert column_type(Literal["a", None]) == (Text(), True)  # noqa: PYI061 - here and below: this spelling is tested
    assert column_type(Literal[1, None]) == (Integer(), True)  # noqa: PYI061


@pytest.mark.parametrize(
    "annotation",
    [
        set[str],
        dict[str, int],
        bytes,
        timedelta,
        Any,
        int | str,
        Mixed,
        Literal["a", 1],
        list[Any],
        complex,
        tuple[int, str],
        tuple[()],
        list,
        None,
        Literal[None],  # noqa: PYI061
        Literal[True],
        Absent,
        NaiveDatetime,
        SecretStr,
    ],
)
def test_other_types_are_refused_by_field_name(annotation: Any) -> None:
    with pytest.raises(InvalidPipeline, match=r"Row\.x(\[\])?: cannot store .*a row holds str, int"):
        column_type(annotation)


def test_nested_fields_are_named_by_their_path() -> None:
    inner = create_model("Inner", tags=(set[str], ...))
    with pytest.raises(InvalidPipeline, match=r"Row\.x\[\]\.tags: cannot store set"):
        column_type(list[inner])


def test_models_that_contain_themselves_are_refused() -> None:
    with pytest.raises(InvalidPipeline, match="Tree contains itself"):
        schema_of(Tree)


def test_a_row_needs_fields() -> None:
    with pytest.raises(InvalidPipeline, match="Empty: expected at least one field"):
        schema_of(create_model("Empty"))


def test_nested_models_need_fields_too() -> None:
    with pytest.raises(InvalidPipeline, match=r"Row\.x\[\]: expected at least one field"):
        column_type(list[Empty])


def test_the_zero_of_decimals_has_no_sign() -> None:
    assert str(columns(Decimal, Decimal("-0"))[0]) == "[Decimal('0E-9')]"


def columns(annotation: Any, *values: Any) -> tuple[list[Any], dict[int, str | BaseException]]:
    model = create_model("Row", x=(annotation, ...))
    converted, problems = schema_of(model).columns([model.model_construct(x=value) for value in values])
    return converted["x"], problems


ODD_ZONE = timezone(timedelta(hours=2))
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("annotation", "values", "expected"),
    [
        (str | None, ["a", None, "😀"], ["a", None, "😀"]),
        (Colour, [Colour.RED], ["red"]),
        (Plain, [Plain.ONE], ["one"]),
        (int, [2**63 - 1, -(2**63)], [2**63 - 1, -(2**63)]),
        (int | None, [None], [None]),
        (Level, [Level.LOW], [1]),
        (float, [1, 1.5], [1.0, 1.5]),
        (bool | None, [True, None], [True, None]),
        (bool, [1], [True]),
        (datetime, [NOON, NOON.astimezone(ODD_ZONE)], [NOON, NOON]),
        (date, [date(2026, 1, 1), NOON], [date(2026, 1, 1), date(2026, 1, 1)]),
        (Decimal, [Decimal("1.5")], [Decimal("1.500000000")]),
        (UUID, [UUID(int=1)], [str(UUID(int=1))]),
        (list[int | None] | None, [[1, None], None, []], [[1, None], None, []]),
        (Place, [Place(city="x", at=NOON)], [{"city": "x", "at": NOON}]),
        (Place, [Place(city="x")], [{"city": "x", "at": None}]),
    ],
)
def test_canonical_values(annotation: Any, values: list[Any], expected: list[Any]) -> None:
    converted, problems = columns(annotation, *values)
    assert converted == expected
    assert list(map(type, converted)) == list(map(type, expected))
    assert not problems


@pytest.mark.parametrize(
    ("annotation", "value", "problem"),
    [
        (str, "\ud800", "x: expected text that UTF-8 can encode"),
        (int, 2**63, "x: expected an integer of 64 bits"),
        (int, -(2**63) - 1, "x: expected an integer of 64 bits"),
        (datetime, datetime(2026, 1, 1), "x: expected a datetime with a time zone"),  # noqa: DTZ001 - it must be refused
        (datetime, datetime(1, 1, 1, tzinfo=ODD_ZONE), "x: "),
        (Decimal, Decimal("1E+40"), "x: expected at most 38 digits, 9 of them decimals"),
        (Decimal, Decimal("0.1234567891"), "x: expected at most 38 digits"),
        (Decimal, Decimal("NaN"), "x: expected at most 38 digits"),
        (list[int], [2**70], "x: expected an integer of 64 bits"),
        (float, "not a number", "x: could not convert"),
        (str, None, "x: expected a value, got None"),
        (UUID, None, "x: expected a value, got None"),
        (list[int], [1, None], "x: expected a value, got None"),
        (Place, Place.model_construct(city=None), "x: expected a value, got None"),  # type: ignore[arg-type]
    ],
)
def test_a_value_that_cannot_be_stored_is_found(annotation: Any, value: Any, problem: str) -> None:
    converted, problems = columns(annotation, value)
    assert converted == [None]
    assert str(problems[0]).startswith(problem)


def test_several_fields_are_transposed() -> None:
    schema = schema_of(Place)
    assert schema.columns([Place(city="a"), Place(city="b", at=NOON)])[0] == {"city": ["a", "b"], "at": [None, NOON]}
    assert schema.columns([])[0] == {"city": [], "at": []}
    assert schema.column_type("city") == Text()


def test_fields_that_a_row_was_built_without_are_none() -> None:
    alone, pair = create_model("Alone", x=(int | None, ...)), create_model("Pair", x=(int, ...), y=(int | None, ...))
    assert schema_of(alone).columns([alone.model_construct()])[0] == {"x": [None]}
    rows = [pair.model_construct(x=1), pair.model_construct(x=2, y=3)]
    assert schema_of(pair).columns(rows)[0] == {"x": [1, 2], "y": [None, 3]}


def test_aliases_are_resolved() -> None:
    info = create_model("Row", x=(str, ...)).model_fields["x"]
    info.annotation = Alias
    model = create_model("Other", x=(str, ...))
    model.model_fields["x"] = info
    assert schema_of(model).fields[0].column_type == Text()


def test_names_reserved_for_the_lake_are_refused() -> None:
    model = create_model("Row", x=(str, ...))
    model.__pydantic_fields__ = {"_x": model.model_fields["x"]}
    with pytest.raises(InvalidPipeline, match="names that start with _"):
        schema_of(model)
