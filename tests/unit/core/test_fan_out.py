"""The whole record, 0 to n rows, deletes, sums, composite keys and expiry: declared, evaluated and settled."""

import functools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, computed_field, create_model

from functions.adapters import intent_json
from functions.adapters.memory import memory_stores
from functions.adapters.parquet import decode, encode
from functions.core.dead_letter import Reason
from functions.core.effects import SOURCE_HEADER, Order
from functions.core.errors import InvalidPipeline, Reject
from functions.core.evaluate import evaluate
from functions.core.keys import JsonKey, TextKey
from functions.core.pipeline import Limits, Pipeline, Tombstones
from functions.core.ports import Source
from functions.core.record import Delete, Record
from functions.core.settle import Settler
from functions.core.sinks import HOUR, Counters, Lake, Sink, Table, Topic
from functions.core.slice import Slice
from tests.unit.core.clicks import KEY

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SOURCE = Source("orders", "order", 0)


class Item(BaseModel):
    sku: str
    price: Annotated[Decimal, Field(max_digits=12, decimal_places=2)]
    note: str = ""


class Order_(BaseModel):  # noqa: N801 - core's Order is imported
    tenant: str
    number: int
    items: list[Item] = []
    cancelled: bool = False


class Line(BaseModel):
    tenant: str
    sku: str
    price: Annotated[Decimal, Field(max_digits=12, decimal_places=2)] | None
    quantity: int = 1
    at: datetime
    note: str = ""


def process(order: Order_, record: Record) -> Any:
    if order.cancelled:
        return [Delete((order.tenant, item.sku)) for item in order.items]
    if not order.items:
        return None
    assert record.timestamp is not None
    return [
        Line(tenant=order.tenant, sku=item.sku, price=item.price, at=record.timestamp, note=item.note)
        for item in order.items
    ]


SINKS: tuple[Sink, ...] = (
    Lake(),
    Counters("sales", by=("tenant",), every=HOUR, at="at", sums=("price", "quantity")),
    Table("last-line", key=("tenant", "sku"), expire_after=timedelta(days=1)),
    Topic("lines", key="sku"),
)


def pipeline(**changes: Any) -> Any:
    declared: dict[str, Any] = {
        "name": "orders", "topic": "order", "event": Order_, "row": Line, "process": process, "sinks": SINKS,
    }  # fmt: skip
    return Pipeline(**(declared | changes))


def order(tenant: str, *skus: str, price: str = "1.10", **more: Any) -> bytes:
    items = [Item(sku=sku, price=Decimal(price)) for sku in skus]
    return Order_(tenant=tenant, number=1, items=items, **more).model_dump_json().encode()


def slice_of(*values: bytes | None, start: int = 0, keys: list[bytes | None] | None = None) -> Slice:
    n = len(values)
    offsets = range(start, start + n)
    return Slice(
        "order", 0, start, start + n - 1, offsets, [1_000_000 + offset for offset in offsets], keys or [b"k"] * n,
        values, [(("tenant", b"t"),)] * n,
    )  # fmt: skip


def settled(*values: bytes | None, **changes: Any) -> Any:
    declared = pipeline(**changes)
    stores = memory_stores(declared, lambda: NOW)
    Settler(declared, stores, KEY).settle(slice_of(*values))
    return stores


def test_a_record_becomes_any_number_of_rows() -> None:
    rows = evaluate(pipeline(), slice_of(order("t", "a", "b"), order("t"), order("t", "c")), KEY).rows
    assert list(zip(rows.offsets, rows.numbers, rows.columns["sku"], strict=True)) == [
        (0, 0, "a"), (0, 1, "b"), (2, 0, "c"),
    ]  # fmt: skip


def test_what_became_nothing_is_dropped_and_counted_once() -> None:
    evaluation = evaluate(pipeline(), slice_of(order("t", "a", "b"), order("t"), b"{"), KEY)
    assert (evaluation.dropped, len(evaluation.rejections)) == (1, 1)
    tail = evaluation.between(1, 2)
    assert (len(tail.rows), tail.dropped, tail.rejections[0].index) == (0, 1, 1)


def test_the_counters_sum_exactly() -> None:
    stores = settled(*[order("t", "a", "b", price="0.10")] * 1_000, order("t", "c", price="9999999999.99"))
    bucket = ("sales", "tenant=t", 0)
    assert stores.ledger.counters[bucket] == 2_001
    assert stores.ledger.sums == {
        (*bucket, "price"): Decimal("200.00") + Decimal("9999999999.99"),
        (*bucket, "quantity"): 2_001,
    }


def test_a_none_adds_nothing_to_a_sum() -> None:
    def none(order: Order_, record: Record) -> Any:
        return [replace_price(row) for row in process(order, record)]

    def replace_price(row: Line) -> Line:
        return row.model_copy(update={"price": None})

    stores = settled(order("t", "a"), process=none)
    assert stores.ledger.sums["sales", "tenant=t", 0, "price"] == 0


def test_rows_of_one_record_have_different_sources_and_orders() -> None:
    stores = settled(order("t", "a", "b", "a"))
    sources = [dict(message.headers)[SOURCE_HEADER] for message in stores.topics["lines"].messages]
    assert sources == [b"orders/order/0/0/0", b"orders/order/0/0/1", b"orders/order/0/0/2"]
    table = stores.tables["last-line"].rows
    assert {key: row.order for key, row in table.items()} == {
        ("t", "a"): Order(1_000_000_000, 0, 0, 2),
        ("t", "b"): Order(1_000_000_000, 0, 0, 1),
    }
    assert {row.expires for row in table.values()} == {1_000 + 86_400}


def test_the_later_delete_or_row_of_a_key_wins_within_a_record_and_between_records() -> None:
    def mixed(order: Order_) -> Any:
        row = Line(tenant=order.tenant, sku="a", price=None, at=NOW)
        return [row, Delete(("t", "a"))] if order.cancelled else [Delete({"tenant": "t", "sku": "a"}), row]

    for cancelled in (True, False):
        table = settled(order("t", cancelled=cancelled), process=mixed).tables["last-line"].rows
        assert (table["t", "a"].row is None) is cancelled
    table = settled(order("t", "a"), order("t", "a", cancelled=True), order("t", "a")).tables["last-line"].rows
    assert table["t", "a"].row is not None


def test_a_row_inserted_after_its_deletion_stays_even_if_its_event_is_older() -> None:
    """Change data capture: a tombstone has Kafka's time, a row its event's, and only the records' order is common."""
    old = datetime(2001, 1, 1, tzinfo=UTC)

    def keep(order: Order_) -> Line:
        return Line(tenant=order.tenant, sku="a", price=None, at=old)

    sinks = (Table("last", key="tenant", newest_by="at"),)
    declared = pipeline(process=keep, sinks=sinks, tombstones=Tombstones.DELETE)
    stores: Any = memory_stores(declared, lambda: NOW)
    Settler(declared, stores, KEY).settle(slice_of(order("t"), None, order("t"), keys=[b"t"] * 3))
    assert stores.tables["last"].rows["t",].row is not None
    Settler(declared, stores, KEY).settle(slice_of(None, start=3, keys=[b"t"]))
    assert stores.tables["last"].rows["t",].row is None


@pytest.mark.parametrize(
    ("codec", "key", "deleted"),
    [
        (None, b"t", True),
        (TextKey(), b"t", True),
        (None, b'{"tenant":"t"}', False),
        (JsonKey(), b'{"tenant":"t"}', True),
        (JsonKey(), b'{"schema":{"type":"struct"},"payload":{"tenant":"t"}}', True),
        (JsonKey(), b'"t"', True),
        (JsonKey(), b"7", False),
        (JsonKey(), b"{", False),
        (JsonKey(), b"[" * 100_000, False),
        (JsonKey(), b'{"other":1}', False),
        (None, b"", False),
        (None, b"x" * 3_000, False),
        (None, b"\xff", False),
    ],
)
def test_the_key_of_a_tombstone_is_decoded_as_declared_or_refused(codec: Any, key: bytes, *, deleted: bool) -> None:
    sinks = (Table("last", key="tenant"),)
    declared = pipeline(sinks=sinks, tombstones=Tombstones.DELETE, key_codec=codec, process=lambda _: None)
    evaluation = evaluate(declared, slice_of(None, keys=[key]), KEY)
    if deleted:
        assert [delete.keys for delete in evaluation.rows.deletes] == [{"tenant": "t"}]
    else:
        assert [rejection.reason for rejection in evaluation.rejections] == [Reason.TOMBSTONE]


class Numbered(BaseModel):
    number: int
    at: datetime


@pytest.mark.parametrize(
    "key", [b"1_0", b" 7", b"+7", b"07", b"7.0", b"9" * 39, b"9223372036854775808", b"", b"x", b"-0x1"]
)
def test_an_integer_key_is_as_strict_as_the_row_that_it_deletes(key: bytes) -> None:
    declared = pipeline(
        row=Numbered, process=lambda _: None, sinks=(Table("last", key="number"),), tombstones=Tombstones.DELETE
    )
    (rejection,) = evaluate(declared, slice_of(None, keys=[key]), KEY).rejections
    assert rejection.reason is Reason.TOMBSTONE


def test_process_sees_the_whole_record() -> None:
    seen: list[Record] = []

    def look(_order: Order_, record: Record) -> None:
        seen.append(record)

    declared = pipeline(process=look, key_codec=JsonKey())
    evaluate(declared, slice_of(order("t"), order("t"), start=7, keys=[b'{"id":1}', None]), KEY)
    assert [record.key for record in seen] == [{"id": 1}, None]
    assert (seen[0].topic, seen[0].partition, seen[0].offset) == ("order", 0, 7)
    assert seen[0].timestamp == datetime(1970, 1, 1, 0, 16, 40, 7_000, tzinfo=UTC)
    assert (seen[0].header("tenant"), seen[0].header("none")) == (b"t", None)


def test_a_key_that_cannot_be_decoded_is_its_records_reject() -> None:
    evaluation = evaluate(
        pipeline(key_codec=JsonKey()), slice_of(order("t", "a"), order("t", "a"), keys=[b"{", b"1"]), KEY
    )
    assert [(rejection.index, rejection.reason) for rejection in evaluation.rejections] == [(0, Reason.FAILED)]
    assert evaluation.rows.offsets == [1]


def test_a_timestamp_that_no_calendar_has_is_none() -> None:
    seen: list[Any] = []
    declared = pipeline(process=lambda _order, record: seen.append(record.timestamp))
    records = replace(slice_of(order("t")), timestamps=[2**62])
    evaluate(declared, records, KEY)
    assert seen == [None]


def results() -> list[tuple[Any, str]]:
    row = Line(tenant="t", sku="s", price=None, at=NOW)
    return [
        ([row, "text"], "process returned str, expected Line, Delete or None, or a list of Line and Delete"),
        ({"a": 1}, "process returned dict"),
        ([[row]], "process returned list"),
        ([None], "process returned NoneType"),
        ([row] * 1_001, "process returned 1001 rows, the limit is 1000"),
        (Delete("one"), "expected an object with tenant, sku"),
        (Delete(("a", "b", "c")), "expected 2 values for tenant, sku, got 3"),
        (Delete({"tenant": "t"}), "it has no sku"),
        (Delete(("t", "")), "sku: expected 1 to 1024 bytes"),
        (Delete(("t", "s" * 1025)), "sku: expected 1 to 1024 bytes, got 1025"),
        (Delete(("t" * 2049, "s")), "tenant: expected 1 to 2048 bytes, got 2049"),
        ((r for r in [row]), "process returned generator"),
    ]


@pytest.mark.parametrize(("result", "detail"), results())
def test_a_record_has_all_its_effects_or_none(result: Any, detail: str) -> None:
    def one(order: Order_) -> Any:
        return result if order.tenant == "odd" else Line(tenant="t", sku="s", price=None, at=NOW)

    evaluation = evaluate(pipeline(process=one), slice_of(order("t"), order("odd"), order("t")), KEY)
    ((index, reason, text),) = [(r.index, r.reason, r.detail) for r in evaluation.rejections]
    assert (index, reason) == (1, Reason.FAILED)
    assert detail in text
    assert evaluation.rows.offsets == [0, 2]
    assert not evaluation.rows.deletes


def test_one_row_that_cannot_be_stored_rejects_its_whole_record() -> None:
    def half(order: Order_, record: Record) -> Any:
        return [*process(order, record), Delete(("t", "z"))]

    value = order("t", "a", "", "b")  # an empty sort key
    evaluation = evaluate(pipeline(process=half), slice_of(order("t", "x"), value), KEY)
    assert [(r.index, r.reason) for r in evaluation.rejections] == [(1, Reason.UNSTORABLE)]
    assert evaluation.rows.offsets == [0]
    assert [delete.offset for delete in evaluation.rows.deletes] == [0]


def test_without_a_lake_a_record_that_counts_in_too_many_groups_is_rejected() -> None:
    sinks = (Counters("per-sku", by=("sku",), every=HOUR, at="at"),)
    wide = order("t", *(f"s{n}" for n in range(99)))
    evaluation = evaluate(pipeline(sinks=sinks), slice_of(order("t", "a"), wide), KEY)
    assert [(r.index, r.reason) for r in evaluation.rejections] == [(1, Reason.UNSTORABLE)]
    assert not evaluate(pipeline(sinks=(Lake(), *sinks)), slice_of(wide), KEY).rejections


@pytest.mark.parametrize("price", ["1e20", "9999999999999999999999999999"])
def test_a_summand_that_would_overflow_the_sum_is_rejected(price: str) -> None:
    class Big(BaseModel):
        amount: Decimal
        at: datetime

    sinks = (Counters("sum", by=(), every=HOUR, at="at", sums=("amount",)),)
    declared = pipeline(row=Big, process=lambda _: Big(amount=Decimal(price), at=NOW), sinks=sinks)
    (rejection,) = evaluate(declared, slice_of(order("t")), KEY).rejections
    assert rejection.reason is Reason.UNSTORABLE


def test_an_intent_with_all_of_it_is_read_as_it_was_written() -> None:
    stores = settled(order("t", "a", "b"), order("t", "a", cancelled=True))
    (intent,) = stores.lake.objects.values()
    read = decode(encode(intent, 0))
    assert intent_json.encode(read) == intent_json.encode(intent)
    assert read.rows == replace(intent.rows, numbers=list(intent.rows.numbers))
    assert read == intent


async def asynchronous(_order: Order_) -> None: ...


def generator(_order: Order_) -> Any:
    yield None


class Callable_:  # noqa: N801 - an object with __call__
    def __call__(self, order: Order_, record: Record) -> None: ...


@pytest.mark.parametrize(
    ("function", "takes_record"),
    [
        (lambda _order: None, False),
        (lambda _order, _record: None, True),
        (lambda _order, _record=None: None, False),
        (lambda *_arguments: None, False),
        (functools.partial(lambda _extra, _order: None, 1), False),
        (Callable_(), True),
        (getattr, False),  # a builtin that does not say its parameters
    ],
)
def test_process_takes_the_event_or_the_event_and_the_record(function: Any, *, takes_record: bool) -> None:
    declared = pipeline(process=function)
    assert declared.takes_record is takes_record
    if function is not getattr:
        assert not evaluate(declared, slice_of(order("t")), KEY).rejections


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        (asynchronous, "got an async one"),
        (generator, "got a generator: return a list of rows"),
        (lambda: None, r"expected a function of \(event\) or \(event, record\)"),
        (lambda _a, _b, _c: None, r"expected a function of \(event\) or \(event, record\)"),
        (lambda _event, *, _other: None, r"expected a function of \(event\) or \(event, record\)"),
        (7, "expected a function, got 7"),
    ],
)
def test_what_cannot_be_called_is_refused_at_declaration(function: Any, problem: str) -> None:
    with pytest.raises(InvalidPipeline, match=f"pipeline 'orders': process: .*{problem}"):
        pipeline(process=function)


def nested(levels: int) -> Any:
    annotation: Any = int
    for _ in range(levels):
        annotation = list[annotation]
    return annotation


DEEP = create_model("Deep", sku=(str, ...), deep=(nested(33), ...))
THREE_KEYS: Any = ("sku", "tenant", "at")


class Computed(BaseModel):
    sku: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def twice(self) -> str:
        return self.sku * 2


class Aliased(BaseModel):
    sku: str = Field(alias="SKU")


class Holder(BaseModel):
    inner: Aliased


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sinks": [Lake()]}, "sinks: expected a tuple, got a list"),
        ({"sinks": (Lake(), "s3")}, "sinks: expected Lake, Counters, Table, Topic or a CustomSink, got 's3'"),
        ({"topic": ["a", "b"]}, "topic: expected a valid Kafka topic name"),
        ({"name": 7}, "name: expected"),
        ({"row": Computed}, r"row: Computed.twice: no sink would see a computed_field"),
        ({"row": Aliased}, r"row: Aliased.sku: no sink would see the alias 'SKU'"),
        ({"row": Holder}, r"row: Holder.inner.sku: no sink would see the alias"),
        ({"sinks": (Table("tt", key=("sku", "sku")),)}, "Table 'tt' key: expected a field, or two different ones"),
        ({"sinks": (Table("tt", key=THREE_KEYS),)}, "Table 'tt' key: expected a field, or two"),
        ({"sinks": (Table("tt", key=("sku", "nope")),)}, "Table 'tt' key: the row has no field 'nope'"),
        ({"sinks": (Table("tt", "sku", expire_after=timedelta()),)}, "Table 'tt' expire_after: expected a second"),
        ({"sinks": (Counters("cc", (), 60, "at", sums=("note",)),)}, "Counters 'cc' sums: expected a field of type"),
        (
            {"sinks": (Counters("cc", (), 60, "at", expire_after=timedelta()),)},
            "Counters 'cc' expire_after: expected a second or more",
        ),
        ({"sinks": (Lake(history=True),)}, "Lake history needs a Table or other sink with a key"),
        ({"sinks": (Lake(history=True), Table("tt", "sku", newest_by="at"))}, "Lake history needs a Table"),
        ({"limits": Limits(max_text_bytes=0)}, "limits.max_text_bytes: expected a number above 0, got 0"),
        ({"row": DEEP, "sinks": (Table("tt", "sku"),)}, "Table 'tt': expected at most 32 levels of lists and models"),
        ({"limits": Limits(max_rows_per_record=0)}, "limits.max_rows_per_record: expected a number above 0"),
        (
            {"tombstones": Tombstones.DELETE},
            r"key_codec: TextKey\(\) names one field, the tables' keys are tenant, sku",
        ),
    ],
)
def test_what_cannot_work_is_refused_at_declaration(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidPipeline, match=problem):
        pipeline(**changes)


@pytest.mark.parametrize("sinks", [(Lake(),), (Table("tt", key=("tenant", "sku"), newest_by="at"),)])
def test_a_delete_needs_tables_that_are_ordered_by_record(sinks: Any) -> None:
    evaluation = evaluate(pipeline(sinks=sinks), slice_of(order("t", "a", cancelled=True)), KEY)
    (rejection,) = evaluation.rejections
    assert "expected a Table or other sink with a key, and none with newest_by" in rejection.detail


def test_history_is_part_of_the_intent_and_changes_no_other_effect() -> None:
    values = (order("t", "a", "b"), order("t", "a", cancelled=True))
    plain, history = settled(*values), settled(*values, sinks=(Lake(history=True), *SINKS[1:]))
    (before,), (after,) = plain.lake.objects.values(), history.lake.objects.values()
    assert after == replace(before, history=True)
    assert intent_json.parse(intent_json.encode(after), lambda *_: after.rows) == after
    assert history.tables["last-line"].rows == plain.tables["last-line"].rows
    assert history.ledger.counters == plain.ledger.counters
    assert decode(encode(after, 0)) == after


def test_a_reject_is_still_a_reject() -> None:
    def never(_order: Order_, _record: Record) -> Any:
        raise Reject("no")

    (rejection,) = evaluate(pipeline(process=never), slice_of(order("t")), KEY).rejections
    assert (rejection.reason, rejection.detail) == (Reason.REJECTED, "no")


def test_a_refused_row_of_several_that_is_not_at_hand_is_in_its_letter_with_the_others() -> None:
    from functions.core.evaluate import Evaluation  # noqa: PLC0415
    from functions.core.plan import Plan, holds_row, refused_letters  # noqa: PLC0415

    evaluation: Evaluation = evaluate(pipeline(), slice_of(order("t", "a", "b"), order("t", "c")), KEY)
    stores = settled(order("t", "a", "b"), order("t", "c"))
    (intent,) = stores.lake.objects.values()
    plan = Plan(intent, None, None, 0, (), [], durable=True, refused=[(0, "table"), (1, "topic")])
    letters = refused_letters(SOURCE, slice_of(order("t"), start=9), plan)
    assert [(letter.offset, holds_row(letter)) for letter in letters] == [(0, True), (1, True)]
    assert [letter.value and letter.value[:1] for letter in letters] == [b"[", b"{"]
    assert len(evaluation.rows) == 3
