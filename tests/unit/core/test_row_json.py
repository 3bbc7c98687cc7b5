"""Rows as JSON: both encoders give the same bytes."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.core.effects import TopicSpec, messages
from functions.core.row_json import json_rows
from functions.core.rows import Rows
from functions.core.sinks import Topic
from functions.core.slice import Slice
from functions.core.struct_models import STRUCTS
from tests.unit.core.twins import PYDANTIC
from tests.unit.core.twins import STRUCTS as TWIN

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    TEXTS,
    st.integers(-(2**63), 2**63 - 1),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
)
NESTED = st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=8)


@given(st.lists(st.tuples(NESTED, NESTED, TEXTS), max_size=5))
def test_both_encoders_give_the_same_bytes(rows: list[tuple[Any, Any, str]]) -> None:
    columns: dict[str, list[Any]] = {
        name: [row[index] for row in rows] for index, name in enumerate(("first", "class_", "text"))
    }
    assert STRUCTS.json_rows()(columns) == json_rows(columns)


def test_rows_with_a_float_are_encoded_by_pydantic_for_both_kinds() -> None:
    assert PYDANTIC.json_rows is TWIN.json_rows is json_rows


class Note(msgspec.Struct):
    user: str
    at: datetime


class Thread(msgspec.Struct):
    user: str
    at: datetime
    notes: list[Note]


def test_rows_without_a_float_are_encoded_by_the_library_of_their_model() -> None:
    pipeline = replace(TWIN, row=Thread, sinks=(Topic("threads", key="user"),))
    assert pipeline.json_rows == STRUCTS.json_rows()
    assert pipeline.json_rows({"user": ["a\r\n\u2028"], "notes": [[{"user": "b"}]]}) == [
        '{"user":"a\\r\\n\u2028","notes":[{"user":"b"}]}'.encode()
    ]


def test_an_encoder_that_loses_a_row_is_noticed() -> None:
    rows = Rows([0, 1], [0, 0], [5, 5], {"user": ["a", "b"]})
    with pytest.raises(ValueError, match="zip"):
        messages(TopicSpec("out", "user"), "o", rows, lambda _: [b"one"])


def test_a_slice_cut_at_its_own_end_shares_its_columns() -> None:
    offsets, values = [3, 4], [b"a", b"b"]
    slice_ = Slice("t", 0, 3, 9, offsets, [1, 2], [None, None], values, [(), ()])
    cut = slice_.until(4)
    assert (cut.start, cut.end, len(cut)) == (3, 4, 2)
    assert cut.offsets is offsets
    assert cut.values is values
