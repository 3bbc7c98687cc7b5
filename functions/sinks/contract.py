"""What every sink of your own keeps to, as tests to inherit.

The class that inherits them has a fixture that makes a store:

    class TestWarehouse(SinkContract):
        refused_id = -1

        @pytest.fixture
        def store(self) -> Store:
            warehouse = ...  # with an empty table of the columns `id`, an integer and the key, and `name`, a text
            return Store(make(SINK, CONTEXT), lambda: warehouse.rows("SELECT id, name FROM ..."))

Of a sink that is at least once, `rows` leaves out what readers recognize as a repetition.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final
from unittest import SkipTest

from functions.core.ports import Refusal, RowBatch, RowSink, Source
from functions.core.rows import Deletion, Rows

SOURCE: Final = Source("contract", "contract.rows", 3)
Placed = tuple[int, int, int]  # a row: its offset, its number in the record, and its `id`


@dataclass(frozen=True, slots=True)
class Store:
    """An adapter on an empty store. `rows` returns (id, name) of each row that the store holds, in any order."""

    sink: RowSink
    rows: Callable[[], Iterable[tuple[int, str]]]

    def bring(self, batch: RowBatch) -> Sequence[Refusal]:
        """Apply a batch."""
        return self.sink.apply(batch) or ()

    def holds(self) -> list[tuple[int, str]]:
        """Return the rows, sorted."""
        return sorted((key, name) for key, name in self.rows())


def batch(
    *rows: Placed,
    first: int,
    last: int,
    epoch: int = 0,
    source: Source = SOURCE,
    deletes: Collection[Placed] = (),
) -> RowBatch:
    """Return a batch of the records at [first, last]. The name of a row is made from its place and its ID."""
    offsets, numbers, ids = ([row[part] for row in rows] for part in range(3))
    names = [f"{epoch}/{offset}/{number}" for offset, number, _ in rows]
    deletions = tuple(Deletion(offset, number, 0, {"id": key}) for offset, number, key in deletes)
    columns: dict[str, list[Any]] = {"id": ids, "name": names}
    return RowBatch(source, epoch, first, last, Rows(offsets, numbers, [0] * len(ids), columns, deletions))


class SinkContract:
    """Nothing is lost, and nothing is there twice, however often and however cut the rows come."""

    refused_id: ClassVar[int | None] = None
    """The `id` of a row that the store refuses for good; None if there is none."""

    deletes: ClassVar[bool] = False
    """Whether the sink has a key, `id`, and deletes rows by it."""

    def test_rows_are_there(self, store: Store) -> None:
        """Several rows of a record, and records without any."""
        _equal(store.bring(batch((0, 0, 10), (0, 1, 11), (2, 0, 12), first=0, last=3)), ())
        _equal(store.holds(), [(10, "0/0/0"), (11, "0/0/1"), (12, "0/2/0")])

    def test_a_slice_without_rows(self, store: Store) -> None:
        """All its records were dropped."""
        _equal(store.bring(batch(first=0, last=4)), ())
        store.bring(batch((5, 0, 10), first=5, last=5))
        _equal(store.holds(), [(10, "0/5/0")])

    def test_a_batch_that_comes_again(self, store: Store) -> None:
        """The process died before it knew."""
        for _ in range(3):
            store.bring(batch((0, 0, 10), (1, 0, 11), first=0, last=1))
        _equal(store.holds(), [(10, "0/0/0"), (11, "0/1/0")])

    def test_records_that_come_again_in_other_slices(self, store: Store) -> None:
        """The other runtime cuts slices differently."""
        store.bring(batch((0, 0, 10), (1, 0, 11), first=0, last=1))
        store.bring(batch((0, 0, 10), (1, 0, 11), (2, 0, 12), first=0, last=2))
        store.bring(batch((1, 0, 11), (2, 0, 12), (3, 0, 13), first=1, last=3))
        _equal(store.holds(), [(10 + offset, f"0/{offset}/0") for offset in range(4)])

    def test_a_late_writer(self, store: Store) -> None:
        """It was cut off for minutes, and brings what has been settled long ago."""
        late = batch((0, 0, 10), first=0, last=0)
        store.bring(late)
        store.bring(batch((1, 0, 10), (2, 0, 11), first=1, last=2))
        held = store.holds()
        store.bring(late)
        _equal(store.holds(), held)

    def test_two_writers_at_once(self, store: Store) -> None:
        """Both runtimes are enabled for a moment."""
        slices = [batch((offset, 0, offset), first=offset, last=offset) for offset in range(20)]

        def bring_all(_writer: int) -> None:
            for each in slices:
                store.bring(each)

        with ThreadPoolExecutor(4) as writers:
            list(writers.map(bring_all, range(4)))
        _equal(store.holds(), sorted((offset, f"0/{offset}/0") for offset in range(20)))

    def test_sources_are_apart(self, store: Store) -> None:
        """The same offsets of another partition, topic or pipeline are other records."""
        sources = [
            SOURCE, replace(SOURCE, partition=4), replace(SOURCE, topic="contract.more"),
            replace(SOURCE, pipeline="contract-2"),
        ]  # fmt: skip
        for key, source in enumerate(sources):
            store.bring(batch((7, 0, key), first=7, last=7, source=source))
        _equal(store.holds(), [(key, "0/7/0") for key in range(len(sources))])

    def test_the_same_offsets_of_a_new_epoch(self, store: Store) -> None:
        """An operator moved the ledger back, because the topic was made again."""
        store.bring(batch((0, 0, 10), (1, 0, 11), first=0, last=1))
        store.bring(batch((0, 0, 12), first=0, last=0, epoch=1))
        store.bring(batch((1, 0, 11), first=1, last=1))  # a late writer of the old one
        _equal(store.holds(), [(10, "0/0/0"), (11, "0/1/0"), (12, "1/0/0")])

    def test_a_row_that_is_refused(self, store: Store) -> None:
        """Its neighbours stand, and each writer that brings it again gets the same answer."""
        if self.refused_id is None:
            raise SkipTest("no `refused_id`: it refuses no row")
        whole = batch((0, 0, 10), (1, 0, self.refused_id), (1, 1, 11), (2, 0, 12), first=0, last=2)
        for _ in range(2):
            (refusal,) = store.bring(whole)
            _equal(refusal.index, 1)
            _equal(refusal.detail > "", expected=True)
        (refusal,) = store.bring(batch((1, 0, self.refused_id), (3, 0, 13), first=1, last=3))
        _equal(refusal.index, 0)
        _equal(store.holds(), [(10, "0/0/0"), (11, "0/1/1"), (12, "0/2/0"), (13, "0/3/0")])

    def test_deletions(self, store: Store) -> None:
        """They take effect in the order of their records, and once."""
        if not self.deletes:
            raise SkipTest("no `deletes`: it deletes no rows")
        store.bring(batch((0, 0, 10), (0, 1, 11), (2, 1, 12), first=0, last=2, deletes=[(1, 0, 10), (2, 0, 12)]))
        _equal(store.holds(), [(11, "0/0/1"), (12, "0/2/1")])
        late = batch(first=3, last=3, deletes=[(3, 0, 11)])
        store.bring(late)
        store.bring(batch((4, 0, 11), first=4, last=4))
        store.bring(late)
        _equal(store.holds(), [(11, "0/4/0"), (12, "0/2/1")])


def _equal(got: object, expected: object) -> None:  # not `assert`, which pytest explains in test modules only
    if got != expected:
        raise AssertionError(f"expected {expected}, got {got}")
