"""Whatever the code and the models of a pipeline raise is one record's reject, described once and briefly (law 9)."""

import math
from asyncio import CancelledError
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, field_validator, model_validator
from pydantic_core import PydanticCustomError

from functions.core.dead_letter import Reason, Rejection
from functions.core.errors import InvalidPipeline, Reject
from functions.core.evaluate import Evaluation, evaluate
from functions.core.foreign import MAX_DETAIL_CHARACTERS, MAX_TRACEBACK_CHARACTERS, type_name
from functions.core.schema import schema_of
from functions.core.sinks import Counters, Lake, Table, Topic
from tests.unit.core import clicks
from tests.unit.core.clicks import KEY, Click, click, pipeline, slice_of

SECRET = "4111-1111"


class Mute(Exception):  # noqa: N818
    """An error that cannot be described."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


class MuteValue(ValueError):  # noqa: N818
    """A ValueError that cannot be described."""

    def __str__(self) -> str:
        raise SystemExit


class NamelessType(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise SystemExit


class Nameless(Exception, metaclass=NamelessType):  # noqa: N818
    """An error whose class, cause and traceback cannot be read."""

    @property
    def __cause__(self) -> BaseException:  # type: ignore[override]
        raise SystemExit


class PanicException(BaseException):
    """What a Rust library raises when it panics."""


ERRORS = [
    KeyError("k"), TypeError("t"), OverflowError(), OSError(5, "io"), RuntimeError("r"), RecursionError(),
    StopIteration(), SystemExit(3), CancelledError(), GeneratorExit(), PanicException("rust"), Mute(), Nameless(),
    MuteValue(), AssertionError(),
    ExceptionGroup("several", [ValueError("one")]), UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
]  # fmt: skip


class Checked(BaseModel):
    user: str
    at: int

    @field_validator("user")
    @classmethod
    def check(cls, user: str) -> str:
        return fail(user)


class Whole(BaseModel):
    user: str
    at: int

    @model_validator(mode="before")
    @classmethod
    def check(cls, data: Any) -> Any:
        return fail(data["user"]) and data


FAILING: dict[str, BaseException] = {f"e{number}": error for number, error in enumerate(ERRORS)}
FAILING["reject"] = Reject("not ours")


def fail(user: str) -> str:
    if user in FAILING:
        raise FAILING[user]
    return user


def evaluated(user: str, **changes: Any) -> Evaluation:
    """Evaluate a record of the user between two good ones."""
    return evaluate(pipeline(**changes), slice_of(click(), click(user), click()), KEY)


def only(evaluation: Evaluation) -> Rejection:
    (rejection,) = evaluation.rejections
    assert rejection.index == 1
    assert evaluation.rows.offsets == [0, 2]
    return rejection


def to_row(event: Any) -> Any:
    return clicks.process(Click(user=event.user, at=event.at))


@pytest.mark.parametrize("user", FAILING)
@pytest.mark.parametrize("model", [Checked, Whole])
def test_whatever_a_validator_raises_is_the_records_reject(user: str, model: type[BaseModel]) -> None:
    rejection = only(evaluated(user, event=model, process=to_row))
    expected = {"reject": {Reason.REJECTED}}.get(user, {Reason.FAILED, Reason.INVALID})
    assert rejection.reason in expected
    assert (rejection.reason is Reason.FAILED) == bool(rejection.traceback)


@pytest.mark.parametrize("user", FAILING)
def test_whatever_process_raises_is_the_records_reject(user: str) -> None:
    def process(event: Click) -> Any:
        fail(event.user)
        return clicks.process(event)

    rejection = only(evaluated(user, process=process))
    assert rejection.reason is (Reason.REJECTED if user == "reject" else Reason.FAILED)
    if rejection.reason is Reason.FAILED:
        assert rejection.detail.startswith(type_name(FAILING[user]))
        assert "test_hostile_code.py" in rejection.traceback


@pytest.mark.parametrize("error", [MemoryError(), KeyboardInterrupt()])
def test_what_ends_the_process_is_raised(error: BaseException) -> None:
    def process(_event: Click) -> Any:
        raise error

    with pytest.raises(type(error)):
        evaluated("u", process=process)


def test_the_text_of_an_error_is_stored_once_and_cut() -> None:
    def process(event: Click) -> Any:
        if event.user == "long":
            raise ValueError("x" * 5_000_000) from RuntimeError("y" * 5_000_000)
        return clicks.process(event)

    rejection = only(evaluated("long", process=process))
    assert len(rejection.detail) < MAX_DETAIL_CHARACTERS + 50
    assert "more characters" in rejection.detail
    assert len(rejection.traceback) < MAX_TRACEBACK_CHARACTERS + 50
    assert "xxx" not in rejection.traceback
    assert "caused by\n" in rejection.traceback


class Unreadable(BaseModel):
    user: str
    at: datetime

    def __getattribute__(self, name: str) -> Any:
        if name == "user":
            fail(object.__getattribute__(self, "__dict__")["user"])
        return super().__getattribute__(name)


@pytest.mark.parametrize("user", [user for user in FAILING if user != "reject"])
def test_a_row_that_cannot_be_read_is_its_records_reject(user: str) -> None:
    def process(event: Click) -> Any:
        return Unreadable.model_construct(user=event.user, at=datetime(2026, 1, 1, tzinfo=UTC))

    rejection = only(evaluated(user, row=Unreadable, process=process, sinks=(Lake(),)))
    assert rejection.reason is Reason.FAILED


class Nested(BaseModel):
    item: Unreadable


@pytest.mark.parametrize("user", [user for user in FAILING if user != "reject"])
def test_a_nested_value_that_cannot_be_read_is_its_records_reject(user: str) -> None:
    def process(event: Click) -> Any:
        item = Unreadable.model_construct(user=event.user, at=datetime(2026, 1, 1, tzinfo=UTC))
        return Nested.model_construct(item=item)

    rejection = only(evaluated(user, row=Nested, process=process, sinks=(Lake(),)))
    assert rejection.reason in {Reason.FAILED, Reason.UNSTORABLE}


class Measured(BaseModel):
    user: str
    ratio: float
    maybe: float | None = None
    several: list[float] = []


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["ratio", "maybe", "several"])
def test_no_sink_gets_a_number_that_is_not_finite(number: float, field: str) -> None:
    def process(event: Click) -> Measured:
        if event.user == "odd":
            value = [number] if field == "several" else number
            return Measured.model_validate({"user": "odd", "ratio": 1.0, field: value})
        return Measured(user=event.user, ratio=1e308)

    rejection = only(evaluated("odd", row=Measured, process=process, sinks=(Lake(), Topic("out", "user"))))
    assert (rejection.reason, "expected a finite number" in rejection.detail) == (Reason.UNSTORABLE, True)


class Priced(BaseModel):
    user: str
    price: Decimal
    others: list[Decimal] = []
    ratio: float = 1.0


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("12345678901234567890.123456789", "12345678901234567890.123456789"),
        ("0.1", "0.1"), ("1e3", "1000"), ("7", "7"), ('"1.20"', "1.20"), ("-0.000000001", "-0.000000001"),
    ],
)  # fmt: skip
def test_a_decimal_keeps_the_digits_of_its_json_number(text: str, price: str) -> None:
    declared = pipeline(event=Priced, row=Priced, process=lambda event: event, sinks=(Lake(),))
    value = f'{{"user": "u", "price": {text}, "others": [{text}], "ratio": 0.25}}'
    rows = evaluate(declared, slice_of(value), KEY).rows
    assert rows.columns["price"] == [Decimal(price)]
    assert rows.columns["others"] == [[Decimal(price)]]
    assert rows.columns["ratio"] == [0.25]


@pytest.mark.parametrize("value", ["{", "[]", '{"price": 1}', b"\xff", '{"user":"\\ud800","price":1}', "[" * 100_000])
def test_with_decimals_bad_input_is_rejected_as_without(value: str | bytes) -> None:
    declared = pipeline(event=Priced, row=Priced, process=lambda event: event, sinks=(Lake(),))
    (rejection,) = evaluate(declared, slice_of(value), KEY).rejections
    assert rejection.reason in {Reason.UNDECODABLE, Reason.INVALID}


class Inflated(BaseModel):
    user: str
    at: datetime
    text: str = ""
    items: list[int] = []


@pytest.mark.parametrize(
    ("sinks", "row", "fits"),
    [
        ((Table("tt", "user", "at"),), {"text": "x" * 2_000_000}, False),
        ((Topic("out", "user"),), {"text": "x" * 2_000_000}, False),
        ((Topic("out", "user"),), {"text": "\x01" * 160_000}, False),  # as JSON six times as long
        ((Table("tt", "user", "at"),), {"text": "\x01" * 160_000}, True),
        ((Table("tt", "user", "at"),), {"items": [1] * 150_000}, False),  # 300 KB as JSON, 450 KB as an item
        ((Topic("out", "user"),), {"items": [1] * 150_000}, True),
        ((Table("tt", "user", "at"),), {"text": "ü" * 205_000}, False),
        ((Lake(),), {"text": "x" * 2_000_000}, True),
        ((Counters("cc", (), 60, "at"),), {"at": datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)}, True),
        ((Counters("cc", (), 60, "at"),), {"at": datetime(1, 1, 1, tzinfo=UTC)}, True),
    ],
)
def test_a_small_record_may_become_a_row_that_a_sink_refuses(sinks: Any, row: dict[str, Any], *, fits: bool) -> None:
    def process(event: Click) -> Inflated:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        return Inflated(**({"user": event.user, "at": at} | row)) if event.user == "big" else Inflated(user="u", at=at)

    evaluation = evaluated("big", row=Inflated, process=process, sinks=sinks)
    if fits:
        assert not evaluation.rejections
    else:
        assert only(evaluation).reason is Reason.UNSTORABLE


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("day",), r"Odd\.day: expected another name than \"the lake's partition\""),
        (("DAY",), r"Odd\.DAY"),
        (("user", "User"), r"Odd\.User: expected another name than 'user'"),
    ],
)
def test_names_that_query_engines_cannot_tell_apart_are_refused(names: tuple[str, ...], message: str) -> None:
    odd = type("Odd", (BaseModel,), {"__annotations__": dict.fromkeys(names, str)})
    with pytest.raises(InvalidPipeline, match=message):
        schema_of(odd)
    outer = type("Outer", (BaseModel,), {"__annotations__": {"inner": odd}})
    if len(names) > 1:
        with pytest.raises(InvalidPipeline, match=r"Outer\.inner\.User"):
            schema_of(outer)
    else:
        assert [field.name for field in schema_of(outer).fields] == ["inner"]


def test_text_beyond_the_warehouses_limit_is_rejected() -> None:
    limits = replace(pipeline().limits, max_text_bytes=65_535)
    assert not evaluated("x" * 65_535, limits=limits, sinks=(Lake(),)).rejections
    assert only(evaluated("ü" * 32_768, limits=limits, sinks=(Lake(),))).reason is Reason.UNSTORABLE


class Starved(Exception):  # noqa: N818
    """An error whose text exhausts the memory."""

    def __str__(self) -> str:
        raise MemoryError


def test_an_error_whose_text_exhausts_the_memory_is_the_processs() -> None:
    def process(_event: Click) -> Any:
        raise Starved

    with pytest.raises(MemoryError):
        evaluated("u", process=process)


class Leaf(BaseModel):
    text: str | None = None
    texts: list[str] = []


class Tree(BaseModel):
    leaf: Leaf | None = None
    leaves: list[Leaf] = []
    number: int = 0


@pytest.mark.parametrize(
    ("tree", "fits"),
    [
        (Tree(), True),
        (Tree(leaf=Leaf(text="x" * 10), leaves=[Leaf(texts=["y" * 10])]), True),
        (Tree(leaf=Leaf(text="x" * 11)), False),
        (Tree(leaf=Leaf(texts=["x", "\u00fc" * 6])), False),
        (Tree(leaves=[Leaf(), Leaf(texts=["x" * 11])]), False),
    ],
)
def test_long_text_is_found_wherever_it_is(tree: Tree, *, fits: bool) -> None:
    limits = replace(pipeline().limits, max_text_bytes=10)
    declared = pipeline(row=Tree, process=lambda _: tree, sinks=(Lake(),), limits=limits)
    assert (not evaluate(declared, slice_of(click()), KEY).rejections) is fits


@pytest.mark.parametrize(("items", "fits"), [(10, True), (130_000, False)])
def test_rows_with_lists_of_models_are_measured(items: int, *, fits: bool) -> None:
    class Keyed(Tree):
        user: str = "u"

    tree = Keyed(leaves=[Leaf()] * items)
    declared = pipeline(row=Keyed, process=lambda _: tree, sinks=(Table("tt", "user"),))
    assert (not evaluate(declared, slice_of(click()), KEY).rejections) is fits


def test_a_validation_error_that_cannot_be_described_is_the_records_reject() -> None:
    class Quoting(Checked):
        @field_validator("user")
        @classmethod
        def check(cls, user: str) -> str:
            if user == "odd":
                raise PydanticCustomError("odd", "{user}", {"user": "\ud800"})
            return user

    rejection = only(evaluated("odd", event=Quoting, process=to_row))
    assert (rejection.reason, rejection.detail) == (
        Reason.INVALID, "(its text cannot be read: UnicodeEncodeError)",
    )  # fmt: skip
