"""A pipeline of pydantic's models and its twin of msgspec's behave alike."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NewType, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from functions.adapters.arrow import array_of, data_type
from functions.adapters.memory import memory_stores
from functions.core.codecs import Codec, Decoder
from functions.core.column_types import Mask
from functions.core.dead_letter import Reason
from functions.core.dedup import Dedup
from functions.core.effects import TopicSpec, counts, messages
from functions.core.errors import InvalidPipeline
from functions.core.evaluate import Evaluation, evaluate
from functions.core.masking import Masked
from functions.core.pipeline import AnyPipeline
from functions.core.schema import schema_of
from functions.core.settle import Settler
from functions.core.sinks import Lake
from functions.testing import evaluated
from tests.unit.core.twins import KEY, PYDANTIC, STRUCTS, WRONG_FIELDS, slice_of

ORDER = {"order_id": "o-1", "price": 1.5, "at": "2026-01-02T03:04:05.678+02:00"}
TWINS = pytest.mark.parametrize("pipeline", [PYDANTIC, STRUCTS], ids=["pydantic", "msgspec"])
TIMES = st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC).isoformat())
NOTES = [None, "drop", "reject", "crash", "return the event", "twice", "wrong item", "fine", *WRONG_FIELDS]
WITHIN = timedelta(hours=1)
HOSTILE: list[bytes] = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"5",
    b"not JSON",
    b"\xff\xfe",
    b"\x00",
    b'{"order_id": "\xff"}',
    b'{"order_id": "\\ud800"}',
    b"[" * 100_000,
    b'{"order_id": ' + b"[" * 100_000,
    b'{"order_id": "a"} x',
    b'\xef\xbb\xbf{"order_id": "a"}',
    b"{'order_id': 1}",
]
FIELDS: list[dict[str, Any]] = [
    {"order_id": ""},
    {"order_id": "too long for it"},
    {"order_id": 5},
    {"order_id": None},
    {"price": "1.5"},
    {"price": None},
    {"at": "yesterday"},
    {"at": "2026-01-02T03:04:05"},
    {"at": "2026-13-02T03:04:05Z"},
    {"quantity": -1},
    {"quantity": 1.5},
    {"quantity": True},
    {"quantity": 2**64},
    {"tier": "silver"},
    {"tier": 1},
    {"amount": "a lot"},
    {"amount": []},
    {"note": {}},
    {"note": "\ud800"},
    {"note": "x" * 101},
    {"unknown": {"a": [1, None]}},
]


def value_of(**changes: Any) -> bytes:
    return json.dumps({**ORDER, **changes}).encode()


def both(*values: bytes | None) -> tuple[Evaluation, Evaluation]:
    slice_ = slice_of(*values)
    return evaluate(PYDANTIC, slice_, KEY), evaluate(STRUCTS, slice_, KEY)


def stored(pipeline: AnyPipeline, values: list[bytes | None]) -> list[Any]:
    """Settle records into empty stores. Return what every store holds; of a dead letter all but its text."""
    stores: Any = memory_stores(pipeline, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    Settler(pipeline, stores, KEY, "owner").settle(slice_of(*values))
    letters = [replace(letter, detail="", traceback="") for letter in stores.dead_letters.letters.values()]
    return [
        stores.ledger.positions, stores.ledger.counters, stores.lake.objects, stores.tables["last-order"].rows,
        stores.topics["ordered"].messages, letters,
    ]  # fmt: skip


def reasons(evaluation: Evaluation) -> list[tuple[int, Reason]]:
    return [(rejection.index, rejection.reason) for rejection in evaluation.rejections]


def assert_alike(*values: bytes | None) -> Evaluation:
    """Rows, rejects by reason, masks, Arrow data, counts and messages are equal, in value and type."""
    of_pydantic, of_structs = both(*values)
    assert of_structs.rows == of_pydantic.rows
    assert repr(of_structs.rows) == repr(of_pydantic.rows)
    assert reasons(of_structs) == reasons(of_pydantic)
    rows = [of_pydantic.rows, of_structs.rows]
    topic = TopicSpec("ordered", "order_id")
    assert messages(topic, "o", rows[0]) == messages(topic, "o", rows[1])
    assert counts(PYDANTIC.counters[0], rows[0]) == counts(STRUCTS.counters[0], rows[1])
    return of_structs


class TestParity:
    def test_the_schemas_are_equal(self) -> None:
        assert STRUCTS.schema == PYDANTIC.schema
        assert STRUCTS.masked == PYDANTIC.masked == ("mail", "items")

    def test_valid_records_become_the_same_rows(self) -> None:
        values = [value_of(order_id=f"o-{n}", quantity=n, tier="gold", amount=f"{n}.25") for n in range(10)]
        assert len(assert_alike(*values).rows) == 10

    @pytest.mark.parametrize("note", ["drop", "reject", "crash", "return the event", "twice", "wrong item", "fine"])
    def test_whatever_process_does_has_the_same_result(self, note: str) -> None:
        assert_alike(value_of(), value_of(note=note, quantity=3), value_of())

    @pytest.mark.parametrize("note", WRONG_FIELDS)
    def test_a_row_with_a_wrong_value_is_rejected_alone_and_for_the_same_reason(self, note: str) -> None:
        assert len(assert_alike(value_of(), value_of(note=note), value_of()).rows) == 2

    def test_tombstones_are_treated_alike(self) -> None:
        assert reasons(assert_alike(None, value_of())) == [(0, Reason.TOMBSTONE)]

    @pytest.mark.parametrize("value", HOSTILE, ids=lambda value: repr(value[:20]))
    def test_bytes_that_are_no_order_are_rejected_for_the_same_reason(self, value: bytes) -> None:
        assert len(assert_alike(value_of(), value).rejections) == 1

    @pytest.mark.parametrize("changes", FIELDS, ids=str)
    def test_a_wrong_field_is_rejected_for_the_same_reason(self, changes: dict[str, Any]) -> None:
        assert_alike(value_of(), value_of(**changes))

    @pytest.mark.parametrize("name", ORDER)
    def test_a_missing_field_is_rejected_for_the_same_reason(self, name: str) -> None:
        value = json.dumps({field: value for field, value in ORDER.items() if field != name}).encode()
        assert reasons(assert_alike(value)) == [(0, Reason.INVALID)]

    def test_the_arrow_schemas_are_equal(self) -> None:
        of_pydantic, of_structs = both(value_of(quantity=3))
        for mine, other in zip(PYDANTIC.schema.fields, STRUCTS.schema.fields, strict=True):
            assert data_type(mine.column_type) == data_type(other.column_type)
            values = [evaluation.rows.columns[mine.name] for evaluation in (of_pydantic, of_structs)]
            assert array_of(mine.column_type, values[0]) == array_of(other.column_type, values[1])

    @given(st.lists(st.binary(max_size=60) | st.none(), max_size=5))
    def test_random_bytes_are_treated_alike(self, values: list[bytes | None]) -> None:
        assert_alike(*values)

    @given(
        st.lists(
            st.fixed_dictionaries(
                {
                    "order_id": st.text(min_size=0, max_size=9),
                    "price": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
                    "at": TIMES,
                },
                optional={
                    "quantity": st.integers(-1, 2**64),
                    "tier": st.sampled_from(["gold", "none", "silver"]),
                    "note": st.none() | st.text(max_size=30),
                    "amount": st.decimals(places=3, allow_nan=False, allow_infinity=False).map(str),
                },
            ),
            max_size=4,
        )
    )
    def test_generated_orders_are_treated_alike(self, orders: list[dict[str, Any]]) -> None:
        assert_alike(*(json.dumps(order).encode(errors="surrogatepass") for order in orders))

    def test_all_stores_end_up_equal_after_settling(self) -> None:
        values = [value_of(order_id=f"o-{n % 3}", quantity=n, note=note) for n, note in enumerate(NOTES)]
        first, second = (stored(pipeline, [*values, b"{", None]) for pipeline in (PYDANTIC, STRUCTS))
        assert first == second

    def test_what_a_record_becomes_is_described_alike(self) -> None:
        for note in NOTES:
            first, second = (evaluated(pipeline, value_of(note=note)) for pipeline in (PYDANTIC, STRUCTS))
            assert (first.rows, first.deletes, first.reason) == (second.rows, second.deletes, second.reason)


class TestEachKind:
    """Each behaviour of the twins, one by one."""

    @TWINS
    def test_a_reject_names_the_field_and_not_the_value(self, pipeline: AnyPipeline) -> None:
        for changes in ({"tier": "secret"}, {"quantity": "secret"}, {"order_id": "secret is long"}):
            (name,) = changes
            result = evaluated(pipeline, {**ORDER, **changes})
            assert result.reason is Reason.INVALID
            assert result.detail.startswith(f"{name}: ")
            assert "secret" not in result.detail

    @TWINS
    def test_numbers_keep_their_digits(self, pipeline: AnyPipeline) -> None:
        value = value_of()[:-1] + b', "amount": 12345678901234567.890000001}'
        (row,) = evaluated(pipeline, value).rows
        assert str(row["amount"]) == "12345678901234567.890000001"

    @TWINS
    def test_masked_values_leave_no_plain_text(self, pipeline: AnyPipeline) -> None:
        (row,) = evaluated(pipeline, {**ORDER, "quantity": 2}).rows
        assert "example.org" not in repr(row)
        assert len(row["items"][0]["mail"]) == 32

    @TWINS
    def test_what_looks_like_another_format_is_named(self, pipeline: AnyPipeline) -> None:
        assert "it looks like" in evaluated(pipeline, b"\x00\x00\x00\x00\x01abc").detail

    @TWINS
    def test_events_are_deduplicated_by_a_field_of_the_model(self, pipeline: AnyPipeline) -> None:
        deduplicated = replace(pipeline, dedup=Dedup("order_id", WITHIN))
        assert evaluate(deduplicated, slice_of(value_of()), KEY).event_ids == ((0, "o-1"),)
        with pytest.raises(InvalidPipeline, match="the event has no field 'nope', its fields are order_id"):
            replace(pipeline, dedup=Dedup("nope", WITHIN))


class TestStructs:
    def test_only_pipelines_with_structs_need_the_extra(self) -> None:
        assert PYDANTIC.extras == ()
        assert STRUCTS.extras == ("msgspec",)
        assert replace(STRUCTS, event=PYDANTIC.event).extras == ("msgspec",)

    def test_a_pipeline_of_pydantic_never_imports_msgspec(self) -> None:
        code = (
            "import sys; from functions.registry import load; from functions.testing import evaluated; "
            "evaluated(load('logins'), {}); print('msgspec' in sys.modules)"
        )
        assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"

    def test_the_kinds_can_be_combined_but_not_within_a_model(self) -> None:
        combined = replace(STRUCTS, event=PYDANTIC.event)
        assert evaluate(combined, slice_of(value_of()), KEY).rows == both(value_of())[0].rows

        class Inner(BaseModel):
            text: str

        class Outer(msgspec.Struct):
            inner: Inner

        with pytest.raises(InvalidPipeline, match=r"row: Outer\.inner: a msgspec.Struct cannot hold a pydantic model"):
            replace(STRUCTS, row=Outer)
        with pytest.raises(InvalidPipeline, match=r"event: msgspec cannot validate Inner; a msgspec.Struct holds no"):
            replace(STRUCTS, event=Outer)

    @pytest.mark.parametrize(
        ("annotations", "options", "problem"),
        [
            ({"secret": complex}, {}, r"cannot store complex"),
            ({"given": str}, {"rename": "upper"}, "no sink would see the alias 'GIVEN'"),
            ({"given": str}, {"tag": True}, r"R\.type: no sink would see the tag"),
            ({"_given": str}, {}, "names that start with _ are reserved"),
            ({"given": str | msgspec.UnsetType}, {}, "cannot store"),
            ({"given": Annotated[int, Mask()]}, {}, "Masked needs a str"),
            ({"Given": str, "given": str}, {}, "query engines ignore case"),
            ({}, {}, "expected at least one field"),
        ],
    )
    def test_a_row_that_cannot_be_stored_is_refused(
        self, annotations: dict[str, Any], options: dict[str, Any], problem: str
    ) -> None:
        row = msgspec.defstruct("R", list(annotations.items()), **options)
        with pytest.raises(InvalidPipeline, match=problem):
            schema_of(row)

    def test_a_codec_that_knows_only_pydantic_is_refused(self) -> None:
        class Own(Codec):
            def decoder(self, event: Any) -> Decoder:
                validate = TypeAdapter(event).validate_json
                return lambda data, _headers, _decoding: validate(data)

        with pytest.raises(InvalidPipeline, match=r"codec: Own cannot decode a msgspec.Struct; call functions.core"):
            replace(STRUCTS, codec=Own())

    def test_an_event_that_msgspec_cannot_decode_is_refused(self) -> None:
        with pytest.raises(InvalidPipeline, match="event: msgspec cannot validate it: If a type union"):
            replace(STRUCTS, event=cast("Any", Checked | Chain))

    @pytest.mark.parametrize(
        ("size", "reason"), [(1, None), (2, Reason.FAILED), (3, Reason.FAILED), (4, Reason.FAILED), (5, Reason.FAILED)]
    )
    def test_a_nested_struct_that_was_changed_is_validated_again(self, size: int, reason: Reason | None) -> None:
        def process(event: Checked) -> Parcel:
            box = Box(0, "b")
            box.size = size
            if size == 5:
                box.label = 5  # type: ignore[assignment]
            return Parcel("p", Boxes([box]))

        pipeline = replace(STRUCTS, event=Checked, row=Parcel, process=process, sinks=(Lake(),))
        assert evaluated(pipeline, {"n": 2}).reason is reason
        assert len(evaluate(pipeline, slice_of(b'{"n": 2}'), KEY).rows) == (reason is None)

    def test_an_event_that_contains_itself_is_decoded(self) -> None:
        nested = {**ORDER, "order_id": "o", "children": [{**ORDER, "order_id": "p", "children": []}]}
        pipeline = replace(STRUCTS, event=Chain, process=lambda _: None)
        assert evaluated(pipeline, nested).dropped

    def test_what_post_init_raises_rejects_the_record(self) -> None:
        pipeline = replace(STRUCTS, event=Checked, process=lambda _: None)
        assert evaluated(pipeline, {"n": 0}).detail == "record: expected more"
        assert evaluated(pipeline, {"n": 1}).reason is Reason.FAILED
        assert evaluated(pipeline, {"n": 2}).dropped

    def test_a_union_of_tagged_structs_is_an_event(self) -> None:
        pipeline = replace(STRUCTS, event=cast("Any", Opened | Closed), process=lambda _: None)
        assert evaluated(pipeline, {"type": "Opened", "n": 1}).dropped
        assert evaluated(pipeline, {"type": "secret", "n": 1}).detail == "type: Invalid value"

    def test_a_masked_value_without_text_is_refused_for_the_row(self) -> None:
        class Plain(msgspec.Struct):
            mail: Masked

        result = schema_of(Plain).columns([Plain(mail=5)], STRUCTS.column_checks)  # type: ignore[arg-type]
        assert list(result[1]) == [0]


class Chain(msgspec.Struct):
    order_id: str
    children: list["Chain"]


class Checked(msgspec.Struct):
    n: int

    def __post_init__(self) -> None:
        if self.n == 0:
            raise ValueError("expected more")
        if self.n == 1:
            raise KeyError("n")


class Opened(msgspec.Struct, tag=True):
    n: int


class Closed(msgspec.Struct, tag=True):
    n: int


class Box(msgspec.Struct):
    size: int
    label: str

    def __post_init__(self) -> None:
        if self.size == 2:
            raise ValueError("too large")
        if self.size == 3:
            raise KeyError("size")
        if self.size == 4:
            raise SystemExit


Boxes = NewType("Boxes", list[Box])


class Parcel(msgspec.Struct):
    name: str
    boxes: Boxes
