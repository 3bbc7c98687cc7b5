"""Generated records: accepted by their pipeline, the same for the same seed, broken only where that is wanted."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from pydantic import BaseModel, Field

from functions.core.errors import Misconfigured, Reject
from functions.core.pipeline import Pipeline
from functions.core.sinks import Lake, Table
from functions.operate.trial.run import Outcome, Trial
from functions.pipelines.logins import PIPELINE
from sandbox.produce.generate import GeneratorOptions, generate


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Part(BaseModel):
    name: Annotated[str, Field(pattern=r"^[a-z]{3}-\d{2}$")]
    weight: Annotated[float, Field(gt=0, lt=10)]


class Order(BaseModel):
    id: UUID
    colour: Colour
    kind: Literal["a", "b"]
    amount: Annotated[Decimal, Field(ge=0, max_digits=9, decimal_places=2)]
    count: Annotated[int, Field(ge=1, le=5)]
    day: date
    at: datetime
    note: str | None
    parts: Annotated[list[Part], Field(min_length=1, max_length=3)]
    tags: dict[str, str] = {}
    renamed: Annotated[int, Field(alias="re-named")]


class OrderRow(BaseModel):
    id: str
    count: int


def process(order: Order) -> OrderRow:
    return OrderRow(id=str(order.id), count=order.count)


ORDERS: Any = Pipeline(
    name="orders", topic="orders", event=Order, row=OrderRow, process=process, sinks=(Lake(), Table("orders", key="id"))
)


@pytest.mark.parametrize("pipeline", [PIPELINE, ORDERS], ids=["logins", "orders"])
def test_generated_records_become_rows(pipeline: Any) -> None:
    trial = Trial(pipeline, {}, lambda: datetime.now(UTC))
    records = list(generate(pipeline, GeneratorOptions(100, 1)))
    assert {trial.result(record).outcome for record in records} == {Outcome.ROWS}
    assert [record.line for record in records] == list(range(1, 101))


def test_the_same_seed_generates_the_same_records() -> None:
    first, again, other = (list(generate(PIPELINE, GeneratorOptions(20, seed))) for seed in (1, 1, 2))
    assert first == again != other


def test_the_key_is_the_first_tables_or_the_chosen_field() -> None:
    (record,) = generate(ORDERS, GeneratorOptions(1, 1))
    assert record.value is not None
    assert record.key == json.loads(record.value)["id"].encode()
    (record,) = generate(ORDERS, GeneratorOptions(1, 1, key="re-named"))
    assert record.value is not None
    assert record.key == str(json.loads(record.value)["re-named"]).encode()
    with pytest.raises(Misconfigured, match="--key: got 'user', expected one of amount, at,"):
        next(generate(ORDERS, GeneratorOptions(1, 1, key="user")))


def test_the_wanted_share_is_broken() -> None:
    trial = Trial(PIPELINE, {}, lambda: datetime.now(UTC))
    results = [trial.result(record).outcome for record in generate(PIPELINE, GeneratorOptions(400, 1, invalid=0.25))]
    assert 60 < results.count(Outcome.REJECTED) < 140
    assert {*results} == {Outcome.ROWS, Outcome.REJECTED}


def test_a_process_that_rejects_everything_is_an_error_with_its_reason() -> None:
    def refuse(_: Order) -> OrderRow:
        raise Reject("no orders today")

    with pytest.raises(
        Misconfigured, match=r"the last one because of no orders today: give the event model's fields ex"
    ):
        next(generate(replace(ORDERS, process=refuse), GeneratorOptions(1, 1)))


def test_what_is_no_json_model_is_refused() -> None:
    plain: Any = Pipeline(
        name="orders", topic="orders", event=dict[str, str], row=OrderRow, sinks=(Lake(),),
        process=lambda event: OrderRow(id=event["id"], count=1),
    )  # fmt: skip
    with pytest.raises(Misconfigured, match="expected JSON and a model of pydantic or msgspec: produce a FILE"):
        next(generate(plain, GeneratorOptions(1, 1)))


def test_models_of_msgspec_are_generated() -> None:
    class Reading(msgspec.Struct):
        sensor: Annotated[str, msgspec.Meta(min_length=1, max_length=20)]
        celsius: Annotated[int, msgspec.Meta(ge=-40, le=60)]

    class ReadingRow(msgspec.Struct):
        sensor: str
        celsius: int

    readings: Any = Pipeline(
        name="readings", topic="readings", event=Reading, row=ReadingRow, sinks=(Table("readings", key="sensor"),),
        process=lambda reading: ReadingRow(reading.sensor, reading.celsius),
    )  # fmt: skip
    trial = Trial(readings, {}, lambda: datetime.now(UTC))
    records = list(generate(readings, GeneratorOptions(30, 1)))
    assert {trial.result(record).outcome for record in records} == {Outcome.ROWS}
    assert all(record.key for record in records)
