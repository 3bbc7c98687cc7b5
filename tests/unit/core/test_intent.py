"""Intents: counts in transactions, and where a slice without an object has to end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.column_types import Text
from functions.core.effects import TableSpec, TopicSpec
from functions.core.evaluate import Evaluation, evaluate
from functions.core.intent import Cover, Gap, counts_of, fitting_end, intent_of
from functions.core.schema_document import document_of, schema_from
from functions.core.sinks import MINUTE, Counters, Lake
from tests.unit.core.clicks import DELETE, KEY, SINKS, click, pipeline, slice_of

BY_USER = Counters("clicks-per-user", by=("user",), every=60 * MINUTE, at="at")
COVER = Cover(0, 0, 9, 5)


def evaluated(*values: str | None, start: int = 0) -> Evaluation:
    return evaluate(pipeline(sinks=(*SINKS, BY_USER)), slice_of(*values, start=start), KEY)


def test_an_intent_says_all_that_the_slice_will_do() -> None:
    declared = pipeline(sinks=(*SINKS, BY_USER))
    evaluation = evaluated(click("a"), "{", None, click("b"))
    intent = intent_of(declared, evaluation, COVER, 4, 98)
    assert (intent.cover, intent.records, intent.rejects, intent.clock) == (COVER, 4, 1, 4)
    assert (intent.schema, intent.rows) == (declared.stored_schema, evaluation.rows)
    assert intent.counts == (tuple(counts_of(declared, evaluation.rows)),)
    assert [count.group for count in intent.counts[0]] == ["", "user=a", "user=b"]
    assert intent.tables == (TableSpec("last-click", ("user",), "at"),)
    assert intent.topics == (TopicSpec("clicked", "user"),)


def test_the_schema_of_an_intent_is_that_of_what_is_stored() -> None:
    """A release that no longer masks a field, or masks another one, reads the same columns."""
    intent = intent_of(pipeline(), evaluated(click("a")), COVER, 4, 98)
    assert pipeline().masked == ("secret",)
    assert intent.schema.column_type("secret") == Text()
    assert intent.schema == schema_from(document_of(intent.schema))


def test_a_table_that_tombstones_delete_from_is_ordered_by_records() -> None:
    intent = intent_of(pipeline(tombstones=DELETE), evaluated(click("a")), COVER, 4, 98)
    assert intent.tables == (TableSpec("last-click", ("user",), None),)


@pytest.mark.parametrize(("size", "chunks"), [(1, [1, 1, 1, 1]), (2, [2, 2]), (3, [3, 1]), (4, [4]), (98, [4])])
def test_counts_are_split_into_transactions(size: int, chunks: list[int]) -> None:
    evaluation = evaluated(click("a", 0), click("b", 60), click("a", 60))
    intent = intent_of(pipeline(sinks=(*SINKS, BY_USER)), evaluation, COVER, -1, size)
    assert list(map(len, intent.counts)) == chunks
    assert sorted(count for chunk in intent.counts for count in chunk) == [c for chunk in intent.counts for c in chunk]


@pytest.mark.parametrize("sinks", [(Lake(),), SINKS])
def test_without_counts_there_is_one_transaction(sinks: tuple[Lake, ...]) -> None:
    evaluation = evaluate(pipeline(sinks=sinks), slice_of("{"), KEY)
    assert intent_of(pipeline(sinks=sinks), evaluation, COVER, -1, 98).counts == ((),)


def test_a_cover_has_a_gap_before_its_first_record() -> None:
    assert Cover(3, 5, 9, -1).gap == Gap(3, 4)
    assert Cover(5, 5, 9, -1).gap is None


def test_a_slice_whose_counts_fit_ends_where_it_ends() -> None:
    declared = pipeline(sinks=SINKS[1:])
    evaluation = evaluated(click(at=0), click(at=60), "{", start=7)
    assert fitting_end(declared, evaluation, 2) == 9
    assert fitting_end(pipeline(sinks=SINKS[2:]), evaluation, 1) == 9


def test_a_slice_ends_before_the_first_count_too_many() -> None:
    """Records without rows before it are settled too."""
    declared = pipeline(sinks=SINKS[1:])
    evaluation = evaluated(click(at=0), "{", click(at=0), None, click(at=60), click(at=120), start=7)
    assert fitting_end(declared, evaluation, 1) == 10
    assert fitting_end(declared, evaluation, 2) == 11
    assert fitting_end(declared, evaluation, 3) == 12


def test_the_counts_of_all_counters_share_the_transaction() -> None:
    declared = pipeline(sinks=(*SINKS[1:], BY_USER))
    evaluation = evaluated(click("a", 0), click("b", 0), click("c", 0))
    assert [fitting_end(declared, evaluation, size) for size in (2, 3, 4)] == [0, 1, 2]


def test_the_first_record_is_settled_whatever_it_counts() -> None:
    declared = pipeline(sinks=(*SINKS[1:], BY_USER))
    assert fitting_end(declared, evaluated(click("a", 0), click("a", 0)), 1) == 0


PAGES = st.sampled_from([None, "p", "q", "drop", "reject"])
CLICKS = st.builds(click, st.sampled_from("abc"), st.integers(0, 3).map(lambda n: 60 * n), PAGES)


@given(st.lists(CLICKS, min_size=1, max_size=20), st.integers(2, 6), st.integers(0, 5))
def test_the_fitting_end_is_the_last_one_whose_counts_fit(values: list[str], size: int, start: int) -> None:
    declared = pipeline(sinks=(*SINKS[1:], BY_USER))
    evaluation = evaluated(*values, start=start)
    end = fitting_end(declared, evaluation, size)

    def counts_until(last: int) -> int:
        return len(counts_of(declared, evaluation.between(start, last).rows))

    assert start <= end <= evaluation.slice_.end
    assert counts_until(end) <= size
    assert end == evaluation.slice_.end or counts_until(end + 1) > size
