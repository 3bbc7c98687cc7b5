"""Masked values: how they are declared, how they are masked, and that none is stored in clear wherever it stands."""

from datetime import datetime
from enum import Enum
from hashlib import blake2b
from typing import Annotated, Any, NewType

import pytest
from pydantic import BaseModel, Field

from functions.core.column_types import Mask
from functions.core.errors import InvalidPipeline
from functions.core.evaluate import evaluate
from functions.core.masking import Masked, mask
from functions.core.record import Delete
from functions.core.schema import schema_of
from functions.core.sinks import Lake, Table
from tests.unit.core.clicks import KEY, Click, click, pipeline, slice_of

CLEAR = "203.0.113.7"
Address = NewType("Address", Masked)


class Device(BaseModel):
    serial: Masked
    model: str
    addresses: list[Masked] = []


class Deep(BaseModel):
    plain: str
    hidden: Masked
    maybe: Masked | None = None
    several: list[Masked] = []
    optional_items: list[Masked | None] = []
    nested: Device
    nested_list: list[Device] = []
    nested_maybe: Device | None = None
    constrained: Annotated[str, Field(min_length=1), Mask()]
    new_type: Address
    matrix: list[list[Masked]] = []


def deep(_event: Click) -> Deep:
    device = Device(serial=CLEAR, model="m", addresses=[CLEAR, CLEAR])
    return Deep(
        plain="p", hidden=CLEAR, maybe=CLEAR, several=[CLEAR], optional_items=[None, CLEAR], nested=device,
        nested_list=[device, device], nested_maybe=device, constrained=CLEAR, new_type=CLEAR, matrix=[[CLEAR], []],
    )  # fmt: skip


def test_a_masked_value_is_stored_in_clear_nowhere() -> None:
    declared = pipeline(row=Deep, process=deep, sinks=(Lake(),))
    columns = evaluate(declared, slice_of(click(), click()), KEY).rows.columns
    assert CLEAR not in repr(columns)
    assert declared.masked == tuple(name for name in Deep.model_fields if name != "plain")
    assert [len(value) for value in columns["several"][0]] == [32]
    assert columns["optional_items"][0][0] is None
    assert columns["nested"][0]["model"] == "m"
    assert [len(values) for values in columns["matrix"][0]] == [1, 0]
    assert columns["nested_list"][0][0] == columns["nested_list"][0][1]


def test_missing_values_stay_missing() -> None:
    row = Deep(plain="p", hidden="h", nested=Device(serial="s", model="m"), constrained="c", new_type="n")
    columns = evaluate(pipeline(row=Deep, process=lambda _: row, sinks=(Lake(),)), slice_of(click()), KEY).rows.columns
    assert (columns["maybe"], columns["several"], columns["nested_maybe"]) == ([None], [[]], [None])


def test_a_mask_is_a_keyed_blake2b() -> None:
    assert mask(["10.0.0.1"], KEY) == [blake2b(b"10.0.0.1", key=KEY, digest_size=16).hexdigest()]


def test_equal_values_stay_equal_and_none_stays_none() -> None:
    masked = mask(["a", None, "b", "a"], KEY)
    assert masked[0] == masked[3] != masked[2]
    assert masked[1] is None


def test_another_key_gives_another_mask() -> None:
    assert mask(["a"], KEY) != mask(["a"], KEY[::-1])


def test_lone_surrogates_are_masked_too() -> None:
    assert len(mask(["\ud800"], KEY)[0] or "") == 32


class Two(BaseModel):
    one: Masked
    other: Masked
    left: Annotated[str, Mask(join="person")]
    right: Annotated[str, Mask(join="person")]


def masks(name: str) -> list[str]:
    row = Two(one="x", other="x", left="x", right="x")
    declared = pipeline(name=name, row=Two, process=lambda _: row, sinks=(Lake(),))
    return [column[0] for column in evaluate(declared, slice_of(click()), KEY).rows.columns.values()]


def test_masks_differ_by_pipeline_and_field_unless_declared_to_join() -> None:
    one, other, left, right = masks("first")
    assert len({one, other, left}) == 3
    assert left == right
    another = masks("second")
    assert another[2:] == [left, right]
    assert not {one, other} & set(another)


class Plain(Enum):
    A = 1


@pytest.mark.parametrize(
    "annotation",
    [Annotated[int, Mask()], Annotated[list[str], Mask()], Annotated[datetime, Mask()], Annotated[Plain, Mask()]],
)
def test_what_cannot_be_masked_is_refused(annotation: Any) -> None:
    model = type("Refused", (BaseModel,), {"__annotations__": {"field": annotation}})
    with pytest.raises(InvalidPipeline, match=r"Refused\.field: Masked needs a str"):
        schema_of(model)


@pytest.mark.parametrize("annotation", [Annotated[str, Mask], Annotated[str, Masked], list[Annotated[str, Mask]]])
def test_a_mark_that_would_not_mask_is_refused(annotation: Any) -> None:
    model = type("Unmasked", (BaseModel,), {"__annotations__": {"field": annotation}})
    with pytest.raises(InvalidPipeline, match=r"Unmasked\.field.*: expected Masked or Annotated\[str, Mask\(\)\]"):
        schema_of(model)


class Visitor(BaseModel):
    address: Masked


def test_a_delete_names_a_masked_key_as_its_row_does() -> None:
    declared = pipeline(
        row=Visitor,
        process=lambda event: Delete(CLEAR) if event.page == "forget" else Visitor(address=CLEAR),
        sinks=(Lake(), Table("visitors", key="address")),
    )
    rows = evaluate(declared, slice_of(click(), click(page="forget")), KEY).rows
    assert rows.deletes[0].keys == {"address": rows.columns["address"][0]}
    assert CLEAR not in repr(rows)
