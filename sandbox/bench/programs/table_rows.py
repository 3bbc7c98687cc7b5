"""Rows of the table sink over HTTP, all of them new: by Tandem's adapter, or by one `put_item` a row on one thread."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast
from uuid import uuid4

import boto3

from functions.bootstrap import App
from functions.core import names
from functions.core.ports import Refusal
from functions.runtimes.msk.handler import build
from sandbox.bench.load import Load
from sandbox.bench.memory import memory_app, settings
from sandbox.bench.programs.batches import Context, events
from sandbox.bench.programs.meter import Meter, given
from sandbox.stores import create

TABLE = "last-login"
SLICE = 10_000


@dataclass(slots=True)
class Recorder:
    """A table that keeps what it is given."""

    candidates: list[Any] = field(default_factory=list)

    def put(self, candidates: Sequence[Any]) -> Sequence[Refusal]:
        """See ports.TableStore."""
        self.candidates.extend(candidates)
        return ()


def main() -> None:
    """Write the rows to the server that answers immediately."""
    asked = given()
    candidates = _candidates(asked["records"])
    stage = f"t{uuid4().hex[:5]}"
    app = App(settings(asked["bootstrap"], stage).model_copy(update={"mask_key_from": f"file:{asked['key']}"}))
    session: Any = boto3.Session()
    create(session.client, stage, [app.pipeline], "unused", "unused")
    write = _put_items if asked["plain"] else _adapter
    steps = write(app, stage, candidates)
    next(steps)
    meter = Meter()
    meter.begin()
    next(steps)
    meter.end(len(candidates))


def _candidates(records: int) -> list[Any]:
    """Return the newest rows of logins of as many users, as the settler hands them to the table."""
    recorder = Recorder()
    with memory_app("b-1.bench:9098", "bench") as app:
        assert app.stores is not None  # noqa: S101 - `memory_app` gives them
        recording = App(app.settings, replace(app.stores, tables={TABLE: recorder}))
        for event in events(Load(records, unique=True), SLICE):
            build(recording).handle(event, cast("Any", Context()))
    return recorder.candidates


def _adapter(app: App, _: str, candidates: list[Any]) -> Iterator[None]:
    """Prepare, and then write all rows."""
    table = app.settler.stores.tables[TABLE]
    yield
    if refusals := table.put(candidates):
        raise RuntimeError(f"{len(refusals)} rows were refused")
    yield


def _put_items(_: App, stage: str, candidates: list[Any]) -> Iterator[None]:
    """Prepare, and then write a row of the same fields for each candidate."""
    client = boto3.client("dynamodb")
    text = {name: {"S": "x" * 12} for name in ("device_type", "locale", "logged_in_at")}
    masked = {name: {"S": "0" * 32} for name in ("ip", "device_id")}
    numbers = {f"version_{part}": {"N": "2"} for part in ("major", "minor", "patch")}
    order = {"S": "1" * 54}
    fields = text | masked | numbers | {"_order": order}
    yield
    for number in range(len(candidates)):
        client.put_item(
            TableName=names.rows_table(stage, TABLE),
            Item={**fields, "user_id": {"S": f"user-{number:08d}"}},
            ConditionExpression="attribute_not_exists(#order) OR #order < :order",
            ExpressionAttributeNames={"#order": "_order"},
            ExpressionAttributeValues={":order": order},
        )
    yield


if __name__ == "__main__":
    main()
