"""Sinks of the user's own: what a slice gives them, what they may do, and what they must not do to the slice."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from traceback import format_exception
from typing import Any

import pytest

from functions.adapters.custom_sinks import ProcessContext, made
from functions.adapters.memory import MemoryRowSink, memory_stores
from functions.core.dead_letter import Reason
from functions.core.errors import Corrupt, Flood, InvalidPipeline, InvalidSetting, OffsetsWentBack, Refused, Unavailable
from functions.core.foreign import MAX_DETAIL_CHARACTERS
from functions.core.ports import Refusal, RowBatch, Source
from functions.core.settle import Settler
from functions.core.sinks import CustomSink
from tests.unit.core.clicks import KEY, SINKS, click, pipeline, slice_of

SOURCE = Source("clicks", "click", 0)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Warehouse(CustomSink):
    table: str = "clicks"

    adapter = "tests.unit.core.test_custom_sinks:make"


class Applied(MemoryRowSink):
    """Keeps every batch, and does what a test wants before it applies it."""

    def __init__(self, before: Callable[[RowBatch], Sequence[Refusal]] = lambda _: ()) -> None:
        super().__init__()
        self.batches: list[RowBatch] = []
        self.before = before

    def apply(self, batch: RowBatch) -> Sequence[Refusal]:
        self.batches.append(batch)
        refusals = self.before(batch)
        super().apply(batch)
        return refusals


def make(sink: Warehouse, context: Any) -> Any:
    return sink, context.stage, context.pipeline, context.secret()


DECLARED = pipeline(sinks=(*SINKS, Warehouse("warehouse")))


def stores_of(sink: MemoryRowSink, **changes: Any) -> Any:
    return replace(memory_stores(pipeline(**changes) if changes else DECLARED, lambda: NOW), sinks={"warehouse": sink})


def test_a_sink_of_your_own_gets_each_slice_with_its_coordinates() -> None:
    sink = Applied()
    settler = Settler(DECLARED, stores_of(sink), KEY)
    settler.settle(slice_of(click("a"), "{", click("b")))
    settler.settle(slice_of(click("c"), start=3))
    assert [(batch.source, batch.epoch, batch.first, batch.last) for batch in sink.batches] == [
        (SOURCE, 0, 0, 2), (SOURCE, 0, 3, 3),
    ]  # fmt: skip
    assert [(offset, number, row["user"]) for offset, number, row in sink.batches[0].records()] == [
        (0, 0, "a"), (2, 0, "b"),
    ]  # fmt: skip
    assert {place[2] for place in sink.rows} == {0, 2, 3}


@pytest.mark.parametrize("error", [KeyError("k"), OSError(), SystemExit(), InvalidSetting("s"), Unavailable("u")])
def test_whatever_it_raises_is_retried_and_the_other_effects_are_not_repeated(error: BaseException) -> None:
    errors: list[BaseException | None] = [error, error, None]

    def before(_batch: RowBatch) -> Sequence[Refusal]:
        if (failure := errors.pop(0)) is not None:
            raise failure
        return ()

    stores = stores_of(Applied(before))
    settlement = Settler(DECLARED, stores, KEY).begin(slice_of(click("a"), click("b")))
    for _ in range(2):
        with pytest.raises(Unavailable):
            settlement.run()
    assert settlement.run().rows == 2
    assert len(stores.topics["clicked"].messages) == 2


def test_a_sink_that_is_refused_for_good_stops_the_partition() -> None:
    def before(_batch: RowBatch) -> Sequence[Refusal]:
        raise Refused("no such table")

    with pytest.raises(Refused):
        Settler(DECLARED, stores_of(Applied(before)), KEY).settle(slice_of(click("a")))


def test_a_row_that_it_refuses_becomes_a_dead_letter() -> None:
    stores = stores_of(Applied(lambda _: [Refusal(1, "too long")]))
    settled = Settler(DECLARED, stores, KEY).settle(slice_of(click("a"), click("b")))
    (letter,) = stores.dead_letters.letters.values()
    assert (settled.next, letter.offset, letter.reason, letter.detail) == (
        2, 1, Reason.REFUSED, "sink 'warehouse': too long",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "got"),
    [
        ([Refusal(-1, "no")], "a Refusal of -1"), ([Refusal(2, "no")], "a Refusal of 2"),
        ([Refusal(index=True, detail="no")], "a Refusal of True"), ([Refusal("0", "no")], "a Refusal of '0'"),  # type: ignore[arg-type]
        ([(0, "no")], "tuple"), ([None], "NoneType"), ({"index": 0}, "str"),
    ],
)  # fmt: skip
def test_what_is_no_refusal_of_its_batch_stops_the_partition_and_rejects_no_record(answer: Any, got: str) -> None:
    stores = stores_of(Applied(lambda _: answer))
    with pytest.raises(Refused, match=f"sink 'warehouse': expected Refusals of rows 0 to 1 of its batch, got {got}"):
        Settler(DECLARED, stores, KEY).settle(slice_of(click("a"), click("b")))
    assert not stores.dead_letters.letters
    stores.sinks["warehouse"].before = lambda _: ()
    assert Settler(DECLARED, stores, KEY).settle(slice_of(click("a"), click("b"))).next == 2


def test_a_sink_that_returns_nothing_refuses_nothing() -> None:
    nothing: Any = None
    assert Settler(DECLARED, stores_of(Applied(lambda _: nothing)), KEY).settle(slice_of(click("a"))).next == 1


@pytest.mark.parametrize("error", [Flood("f"), OffsetsWentBack("o"), Corrupt("c")])
def test_it_cannot_record_a_stop_in_the_ledger(error: BaseException) -> None:
    def before(_batch: RowBatch) -> Sequence[Refusal]:
        raise error

    stores = stores_of(Applied(before))
    with pytest.raises(Unavailable):
        Settler(DECLARED, stores, KEY).settle(slice_of(click("a")))
    stores.sinks["warehouse"].before = lambda _: ()
    assert Settler(DECLARED, stores, KEY).settle(slice_of(click("a"))).next == 1


def test_what_it_raises_is_named_with_its_place_and_without_its_text() -> None:
    def before(batch: RowBatch) -> Sequence[Refusal]:
        raise KeyError(f"a row of {batch.rows.columns['user'][0]}")

    with pytest.raises(Unavailable) as raised:
        Settler(DECLARED, stores_of(Applied(before)), KEY).settle(slice_of(click("personal")))
    assert "sink 'warehouse': KeyError in apply (plan.py:" in str(raised.value)
    assert "before (test_custom_sinks.py:" in str(raised.value)
    logged = "".join(format_exception(raised.value))
    assert "a row of personal" not in logged


def test_why_it_refuses_rows_is_cut() -> None:
    stores = stores_of(Applied(lambda _: [Refusal(0, "x" * 1_000_000)]))
    Settler(DECLARED, stores, KEY).settle(slice_of(click("a")))
    (letter,) = stores.dead_letters.letters.values()
    assert len(letter.detail) < MAX_DETAIL_CHARACTERS + 50


def test_a_slice_that_another_release_meant_for_it_reaches_it_and_no_other() -> None:
    """The object says which sinks the slice is for, in both directions of a release."""
    sink = Applied()
    plain = pipeline()
    stores = stores_of(sink)
    Settler(plain, stores, KEY).settle(slice_of(click("a")))
    Settler(DECLARED, stores, KEY).settle(slice_of(click("b"), start=1))
    assert [batch.first for batch in sink.batches] == [1]

    class Dead(MemoryError):  # noqa: N818
        pass

    def die(_batch: RowBatch) -> Sequence[Refusal]:
        raise Dead

    sink.before = die
    with pytest.raises(Dead):
        Settler(DECLARED, stores, KEY, "first").settle(slice_of(click("c"), start=2))
    sink.before = lambda _: ()
    Settler(plain, stores, KEY, "second").settle(slice_of(click("c"), start=2))
    assert {place[2] for place in sink.rows} == {1}, "the running release no longer has the sink"


def test_the_same_rows_in_other_slices_have_effects_once() -> None:
    sink = MemoryRowSink()
    columns = {"user": ["a", "b", "c"]}
    from functions.core.rows import Rows  # noqa: PLC0415

    rows = Rows([0, 1, 2], [0, 0, 0], [0, 0, 0], columns)
    for epoch, first, last in ((0, 0, 1), (0, 0, 2), (0, 1, 2), (1, 0, 0)):
        sink.apply(RowBatch(SOURCE, epoch, first, last, rows.between(first, last)))
    assert sorted(place[1:3] for place in sink.rows) == [(0, 0), (0, 1), (0, 2), (1, 0)]


def test_its_adapter_is_made_by_the_process_that_settles() -> None:
    sink = Warehouse("warehouse")
    context = ProcessContext("dev", "clicks", lambda: b"secret")
    assert made(sink, context) == (sink, "dev", "clicks", b"secret")  # type: ignore[comparison-overlap]


@pytest.mark.parametrize("adapter", ["no.such:thing", "functions.core.sinks:nothing"])
def test_an_adapter_that_cannot_be_imported_is_an_invalid_pipeline(adapter: str) -> None:
    odd = type("Odd", (CustomSink,), {"adapter": adapter})
    with pytest.raises(InvalidPipeline, match=f"sinks: Odd 'odd': adapter {adapter}"):
        made(odd("odd"), ProcessContext("dev", "clicks", lambda: b""))


def test_a_sink_says_what_is_wrong_with_its_declaration() -> None:
    class Picky(CustomSink):
        adapter = "a:b"

        def problems(self, fields: Any) -> Any:
            yield f"table: expected one of {', '.join(fields)}"

    with pytest.raises(InvalidPipeline, match="sinks: Picky 'picky' table: expected one of user, at"):
        pipeline(sinks=(Picky("picky"),))
    with pytest.raises(InvalidPipeline, match=r"CustomSink 'bare': adapter: expected 'package\.module:function'"):
        pipeline(sinks=(CustomSink("bare"),))


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (("nope",), "Keyed 'keyed' key: the row has no field 'nope'"),
        ("user", "key: expected different fields, got 'user'"),
        (("user", "user"), "key: expected different fields"), (("user", 7), "key: expected different fields"),
        (("at",), "key: expected a field of type Text or Integer or Uuid, got 'at'"),
    ],
)  # fmt: skip
def test_the_key_of_a_sink_is_checked(keys: Any, problem: str) -> None:
    class Keyed(CustomSink):
        adapter = "a:b"
        key_fields = keys

    with pytest.raises(InvalidPipeline, match=problem):
        pipeline(sinks=(Keyed("keyed"),))
