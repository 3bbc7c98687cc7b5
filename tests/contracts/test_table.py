from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.adapters.aws import Aws
from functions.adapters.table import DynamoTable
from functions.core import names
from functions.core.effects import Newest, Order
from functions.core.errors import Incomplete
from tests.contracts.conftest import STAGE
from tests.contracts.race import RACERS, raced
from tests.contracts.twins import ABSENT, DELETED, NUMBERS, Tables, aws_mark, fresh, throttled

Made = Callable[[str], Tables]
BIG = 2**63 * 1000  # the greatest timestamp of Kafka, in microseconds


def test_a_row_is_stored_under_its_key(tables: Made, name: str) -> None:
    table = tables("name")
    table.table.put([row(name, 5, 1), row(f"{name} é/?#", 6, 2)])
    assert (table.mark(name), table.mark(f"{name} é/?#"), table.mark(f"{name} ")) == (1, 2, ABSENT)


@pytest.mark.parametrize("number", [-(2**63), -1, 0, 2**63 - 1])
def test_numbers_are_keys_too(tables: Made, number: int) -> None:
    table = tables("number")
    table.table.put([row(number, 5, 1)])
    assert table.mark(number) == 1


def test_nothing_is_nothing(tables: Made) -> None:
    tables("name").table.put([])


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        (Order(9, 0, 0), Order(10, 0, 0)),
        (Order(-10, 0, 0), Order(-9, 0, 0)),
        (Order(-1, 9, 9), Order(0, 0, 0)),
        (Order(-BIG, 0, 0), Order(BIG, 0, 0)),
        (Order(5, 9, 9), Order(5, 10, 0)),
        (Order(5, 0, 0), Order(5, 2**63 - 1, 0)),
        (Order(5, 7, 9), Order(5, 7, 10)),
    ],
)
def test_the_greater_order_wins_in_either_sequence(tables: Made, name: str, older: Order, newer: Order) -> None:
    table, first, second = tables("name"), f"{name}-up", f"{name}-down"
    for key, orders in ((first, (older, newer)), (second, (newer, older))):
        for order in orders:
            table.table.put([Newest((key,), order, {"name": key, "mark": int(order is newer)})])
        assert table.mark(key) == 1


def test_an_equal_order_changes_nothing(tables: Made, name: str) -> None:
    table = tables("name")
    for mark in (1, 2):
        table.table.put([row(name, 5, mark)])
    assert table.mark(name) == 1


def test_a_deleted_row_stays_deleted_until_a_newer_one_is_put(tables: Made, name: str) -> None:
    table = tables("name")
    marks = []
    for candidate in (
        row(name, 5, 1),
        delete(name, 7),
        row(name, 6, 2),
        delete(name, 6),
        row(name, 8, 3),
        delete(name, 7),
    ):
        table.table.put([candidate])
        marks.append(table.mark(name))
    assert marks == [1, DELETED, DELETED, DELETED, 3, 3]


def test_a_delete_of_nothing_keeps_older_rows_out(tables: Made, name: str) -> None:
    table = tables("name")
    table.table.put([delete(name, 7)])
    table.table.put([row(name, 6, 1)])
    assert table.mark(name) == DELETED


CANDIDATES = st.lists(
    st.tuples(st.integers(-3, 3), st.booleans()), unique_by=lambda candidate: candidate[0], max_size=5
)


@given(CANDIDATES.flatmap(lambda some: st.tuples(st.just(some), st.permutations(some * 2))))
@settings(max_examples=25, deadline=None)
def test_any_order_of_arrival_ends_alike(
    tables: Made, drawn: tuple[list[tuple[int, bool]], list[tuple[int, bool]]]
) -> None:
    table, name, (candidates, arrivals) = tables("name"), fresh("name"), drawn
    for at, alive in arrivals:
        table.table.put([row(name, at, at) if alive else delete(name, at)])
    assert table.mark(name) == max(((at, at if alive else DELETED) for at, alive in candidates), default=(0, ABSENT))[1]


def test_many_keys_are_put_together(tables: Made) -> None:
    table, first = tables("number"), next(NUMBERS) * 1000
    table.table.put([row(first + n, 5, n) for n in range(100)])
    assert [table.mark(first + n) for n in range(100)] == list(range(100))


def test_concurrent_writers_leave_the_newest_row(tables: Made, name: str) -> None:
    table = tables("name")
    keys = [f"{name}-{n}" for n in range(20)]
    raced(lambda n: table.table.put([row(key, n, n) for key in keys]))
    assert {table.mark(key) for key in keys} == {RACERS - 1}


def test_a_row_that_the_table_will_never_take_is_refused_beside_rows_that_are_stored(tables: Made, name: str) -> None:
    table, large = tables("name"), "x" * 400 * 1024
    candidates = [row(f"{name}-0", 5, 0), with_text(f"{name}-1", large), row(f"{name}-2", 5, 2), with_text(name, large)]
    for _ in range(2):  # a retry refuses them again
        refusals = table.table.put(candidates)
        assert [refusal.index for refusal in refusals] == [1, 3]
        assert all(refusal.detail for refusal in refusals)
    assert [table.mark(f"{name}-{n}") for n in range(3)] == [0, ABSENT, 2]
    assert table.mark(name) == ABSENT


def test_a_refused_row_leaves_the_older_one_in_place(tables: Made, name: str) -> None:
    table = tables("name")
    assert list(table.table.put([row(name, 5, 1)])) == []
    assert len(table.table.put([with_text(name, "x" * 400 * 1024, at=6)])) == 1
    assert table.mark(name) == 1


def test_rows_that_are_not_refused_are_durable_or_remain(aws: Aws) -> None:
    """The real table, throttled for some of the rows: a retry continues with the rest."""
    name = names.rows_table(STAGE, "by-name")
    table, mark, run = DynamoTable(aws.item_puts, name, ("name",)), aws_mark(aws, name, "name"), fresh("run")
    keys = [f"{run}-{n:02}!" for n in range(50)]
    candidates = [with_text(key, "x" * 400 * 1024) if n == 0 else row(key, 5, n) for n, key in enumerate(keys)]
    slow = throttled(aws.dynamodb, lambda call: any(f"{run}-{n:02}!" in call for n in (7, 33)))
    with slow, pytest.raises(Incomplete, match="ThrottlingException") as caught:
        table.put(candidates)
    remaining = list(caught.value.remaining)
    assert all(candidates[n] in remaining for n in (0, 7, 33)), "the refused row is returned by the next call"
    durable = [n for n, candidate in enumerate(candidates) if candidate not in remaining]
    assert [mark(keys[n]) for n in durable] == durable
    refusals = table.put(remaining)
    assert [remaining[refusal.index].key for refusal in refusals] == [(keys[0],)]
    assert [mark(key) for key in keys] == [ABSENT, *range(1, 50)]


def with_text(key: str, text: str, at: int = 5) -> Newest:
    return Newest((key,), Order(at, 0, 0), {"name": key, "mark": 9, "text": text})


def row(key: str | int, at: int, mark: int) -> Newest:
    return Newest((key,), Order(at, 0, 0), {"name" if isinstance(key, str) else "number": key, "mark": mark})


def delete(key: str | int, at: int) -> Newest:
    return Newest((key,), Order(at, 0, 0), None)
