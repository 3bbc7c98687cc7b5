"""The pipelines of docs/examples: what a record becomes, and what both runtimes store of the same records."""

import gzip
import json
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from arro3.io import read_parquet

import functions.pipelines
from docs.examples import customers, orders, telemetry
from functions import registry
from functions.adapters.memory import memory_stores
from functions.adapters.parquet import decode, encode
from functions.bootstrap import App
from functions.cli import invocation
from functions.codecs.avro import Avro
from functions.core.dead_letter import Reason
from functions.core.pipeline import AnyPipeline
from functions.core.ports import Stores
from functions.core.registries import Confluent, KnownSchemas, SchemaType, WriterSchema
from functions.core.slice import Slice
from functions.settings import Settings
from functions.testing import evaluated
from tests.docs.example_records import CREATED, DELETED, EVENT_ID, GZIPPED, KEY, MEASURED, MS, ORDER, RECORDS, SHOP
from tests.docs.pages import ROOT

EXAMPLES = ROOT / "docs" / "examples"
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_every_example_is_tested() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(RECORDS)


def test_an_order_becomes_a_row_for_each_line_with_exact_amounts() -> None:
    result = evaluated(orders.PIPELINE, ORDER, key=b"o1", headers=SHOP)
    assert [(row["tenant"], row["order_id"], row["line"], row["sku"], row["amount"]) for row in result.rows] == [
        ("paris", "o1", 1, "tea", Decimal("0.30")),
        ("paris", "o1", 2, "cup", Decimal("9007199254740993.01")),
    ]
    assert {row["customer"] for row in result.rows}.isdisjoint({"ada"})


def test_an_order_without_its_shop_or_its_items_becomes_no_row() -> None:
    assert evaluated(orders.PIPELINE, ORDER, key=b"o1").detail == "header tenant: expected the name of a shop"
    assert evaluated(orders.PIPELINE, ORDER, headers=SHOP).detail == "key: expected the order's ID"
    assert evaluated(orders.PIPELINE, ORDER | {"items": []}, key=b"o1", headers=SHOP).dropped


def test_a_change_becomes_the_row_or_its_delete() -> None:
    (row,) = evaluated(customers.PIPELINE, CREATED, key=KEY).rows
    assert (row["tenant"], row["id"], row["country"]) == ("paris", 7, None)
    assert evaluated(customers.PIPELINE, DELETED, key=KEY).deletes == [{"tenant": "paris", "id": 7}]
    assert evaluated(customers.PIPELINE, None, key=KEY).deletes == [{"tenant": "paris", "id": 7}]
    wrapped = b'{"schema": {"type": "struct"}, "payload": {"tenant": "paris", "id": 7}}'
    assert evaluated(customers.PIPELINE, DELETED, key=wrapped).deletes == [{"tenant": "paris", "id": 7}]
    assert evaluated(customers.PIPELINE, {"op": "t", "after": None}, key=KEY).reason == Reason.INVALID


def test_an_event_becomes_a_row_for_each_sensor_compressed_or_not() -> None:
    plain = evaluated(telemetry.PIPELINE, MEASURED)
    assert [(row["sensor"], row["value"]) for row in plain.rows] == [("heat", 21.5), ("dust", 0.0)]
    packed = gzip.compress(json.dumps(MEASURED).encode())
    assert evaluated(telemetry.PIPELINE, packed, headers=GZIPPED) == plain
    assert evaluated(telemetry.PIPELINE, packed).reason == Reason.UNDECODABLE
    bomb = gzip.compress(b" " * 1024 * 1024 + b"{}")
    assert evaluated(telemetry.PIPELINE, bomb, headers=GZIPPED).reason == Reason.UNDECODABLE


def test_telemetry_may_be_avro_with_a_registered_schema() -> None:
    fastavro = pytest.importorskip("fastavro", reason="the extra avro is not installed")
    fields = [
        {"name": "event_id", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "device", "type": "string"},
        {"name": "measured_at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "readings", "type": {"type": "map", "values": "double"}},
    ]
    schema = {"type": "record", "name": "Telemetry", "fields": fields}
    file = BytesIO(b"\x00\x00\x00\x00\x07")  # Confluent's framing: the ID of the schema is 7
    file.seek(0, SEEK_END)
    measured = MEASURED | {"event_id": UUID(EVENT_ID), "measured_at": NOW}
    fastavro.schemaless_writer(file, fastavro.parse_schema(schema), measured)
    known: KnownSchemas = {7: WriterSchema(SchemaType.AVRO, json.dumps(schema))}
    declared = replace(telemetry.PIPELINE, codec=Avro(Confluent()))
    assert evaluated(declared, file.getvalue(), schemas=known) == evaluated(telemetry.PIPELINE, MEASURED)
    assert "unknown schema 7" in evaluated(declared, file.getvalue()).detail


@pytest.fixture(params=RECORDS)
def pipeline(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[AnyPipeline]:
    """Each example in turn, among the pipelines that a process finds, and before one of the same name."""
    monkeypatch.setattr(functions.pipelines, "__path__", [str(EXAMPLES), *functions.pipelines.__path__])
    monkeypatch.delitem(sys.modules, f"functions.pipelines.{request.param}", raising=False)
    yield registry.load(request.param)
    del sys.modules[f"functions.pipelines.{request.param}"]


@pytest.fixture
def settings(pipeline: AnyPipeline, tmp_path: Path) -> Settings:
    (tmp_path / "mask").write_bytes(b"sixteen bytes or more")
    return Settings(
        stage="test", pipeline=pipeline.name, lake_bucket="lake", dead_letter_bucket="letters",
        mask_key_from=f"file:{tmp_path / 'mask'}", bootstrap_servers="localhost:1", kafka_auth="plaintext",
    )  # fmt: skip


def on_lambda(settings: Settings, pipeline: AnyPipeline) -> Stores:
    """Settle the records by the handler, from an event as a mapping sends it."""
    records = [
        {
            "topic": pipeline.topic, "partition": 0, "offset": offset, "timestamp": MS + offset,
            "timestampType": "CREATE_TIME",
            "key": record.key and b64encode(record.key).decode(),
            "value": record.value and b64encode(record.value).decode(),
            "headers": [{name: list(value or b"")} for name, value in record.headers],
        }
        for offset, record in enumerate(RECORDS[pipeline.name])
    ]  # fmt: skip
    app = App(settings, memory_stores(pipeline, lambda: NOW))
    event = {"eventSource": "aws:kafka", "records": {f"{pipeline.topic}-0": records}}
    assert invocation.invoke(app, event, timeout=60).error is None
    return app.settler.stores


def on_the_worker(settings: Settings, pipeline: AnyPipeline) -> Stores:
    """Settle the records one slice after another, as a worker's lane does."""
    settler = App(settings, memory_stores(pipeline, lambda: NOW)).settler
    for offset, record in enumerate(RECORDS[pipeline.name]):
        columns = ([offset], [MS + offset], [record.key], [record.value], [record.headers])
        settler.settle(Slice(pipeline.topic, 0, offset, offset, *columns))
    return settler.stores


def stored(stores: Any) -> dict[str, Any]:
    """What the stores hold, without the slices that it came in."""
    return {
        "lake": sorted(row for intent in stores.lake.objects.values() for row in lake_rows(intent)),
        "counters": stores.ledger.counters,
        "sums": stores.ledger.sums,
        "tables": {name: table.rows for name, table in stores.tables.items()},
        "topics": {name: topic.messages for name, topic in stores.topics.items()},
        "sinks": {name: sink.rows for name, sink in stores.sinks.items()},
        "letters": {key: letter.detail for key, letter in stores.dead_letters.letters.items()},
    }


def lake_rows(intent: Any) -> Iterator[tuple[int, int, str]]:
    """The rows that the object's file holds."""
    rows = decode(encode(intent, 0)).rows
    values = zip(*rows.columns.values(), strict=True)
    yield from zip(rows.offsets, rows.numbers, map(repr, values), strict=True)


def test_both_runtimes_store_the_same(settings: Settings, pipeline: AnyPipeline) -> None:
    first, second = on_lambda(settings, pipeline), on_the_worker(settings, pipeline)
    assert stored(first) == stored(second)
    assert len(stored(first)["lake"]) == {"orders": 4, "customers": 2, "telemetry": 4, "inventory": 4}[pipeline.name]


@pytest.fixture
def stores(settings: Settings, pipeline: AnyPipeline) -> Any:
    return on_lambda(settings, pipeline)


@pytest.mark.parametrize("pipeline", ["orders"], indirect=True)
def test_orders_are_summed_exactly(stores: Any) -> None:
    bucket = MS // 1000
    assert stores.ledger.counters == {("revenue-per-hour", "tenant=paris", bucket): 4}
    assert stores.ledger.sums["revenue-per-hour", "tenant=paris", bucket, "amount"] == Decimal("18014398509481986.62")
    lines = stores.tables["order-lines"].rows
    assert set(lines) == {("o1", 1), ("o1", 2)}
    assert lines["o1", 1].row["placed_at"].minute == 59
    assert lines["o1", 1].expires == int((NOW + timedelta(days=90, minutes=59, seconds=59)).timestamp())
    assert len(stores.topics["order-line"].messages) == 4
    assert {key[3:] for key in stores.dead_letters.letters} == {(2, "rejected"), (4, "undecodable")}


@pytest.mark.parametrize("pipeline", ["customers"], indirect=True)
def test_customers_are_as_the_database_has_them(stores: Any) -> None:
    rows = stores.tables["customers"].rows
    (intent,) = stores.lake.objects.values()
    file = read_parquet(BytesIO(encode(intent, 0))).read_all()
    assert file["_deleted"].to_pylist() == [False, False, True, True]
    assert file["tenant"].to_pylist() == ["paris", "oslo", "paris", "paris"]
    assert rows["paris", 7].row is None
    assert rows["oslo", 7].row["country"] == "NO"
    assert {key[3:] for key in stores.dead_letters.letters} == {(4, "tombstone"), (5, "invalid")}


@pytest.mark.parametrize("pipeline", ["telemetry"], indirect=True)
def test_repeated_telemetry_has_no_effect(stores: Any) -> None:
    assert set(stores.ledger.counters.values()) == {2}
    assert set(stores.tables["last-reading"].rows) == {("d1", "heat"), ("d1", "dust")}
    assert stores.tables["last-reading"].rows["d1", "heat"].row["measured_at"].second == 59
    assert {key[3:] for key in stores.dead_letters.letters} == {(3, "undecodable")}
