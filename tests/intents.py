"""Intents of given rows."""

from typing import Any

from functions.core.intent import Cover, Intent
from functions.core.rows import Rows
from functions.core.schema import Schema


def intent_with(schema: Schema, rows: Rows | None = None, cover: Cover | None = None, **changes: Any) -> Intent:
    """Return an intent without counts, tables and topics, but for `changes`."""
    rows = Rows([], [], [], {field.name: [] for field in schema.fields}) if rows is None else rows
    fields: dict[str, Any] = {
        "cover": cover or Cover(0, 0, 0, 0), "records": len(rows) + len(rows.deletes), "rejects": 0, "clock": -1,
        "schema": schema, "rows": rows, "counts": ((),), "tables": (), "topics": (),
    }  # fmt: skip
    return Intent(**(fields | changes))
