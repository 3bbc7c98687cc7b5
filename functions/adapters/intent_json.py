"""An intent as JSON, but for the values of its rows, which are the columns of the lake object.

    {"version": 2, "cover": [next, start, end, newest], "records", "rejects", "clock", "schema": [...],
     "deletes": [[offset, number, timestamp, {field: key}], ...],
     "counts": [[[counter, group, bucket, amount, [[field, sum], ...]], ...], ...],
     "tables": [[name, [key, ...], newest_by or null, expire_seconds or null], ...], "topics": [[name, key], ...],
     "sinks": [name, ...], "history": true or false}

A reader ignores members that it does not know. `version` rises only when an older release could not read it.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from functions.core.effects import Count, TableSpec, TopicSpec
from functions.core.intent import Cover, Intent
from functions.core.rows import Deletion, Rows
from functions.core.schema import Schema
from functions.core.schema_document import document_of, schema_from

VERSION: Final = 2


def encode(intent: Intent) -> str:
    """Return the JSON text of an intent, without its rows."""
    cover = intent.cover
    return json.dumps(
        {
            "version": VERSION,
            "cover": [cover.next, cover.start, cover.end, cover.newest],
            "records": intent.records,
            "rejects": intent.rejects,
            "clock": intent.clock,
            "schema": document_of(intent.schema),
            "deletes": [[*delete[:3], dict(delete.keys)] for delete in intent.rows.deletes],
            "counts": [[_count_document(count) for count in chunk] for chunk in intent.counts],
            "tables": intent.tables,
            "topics": intent.topics,
            "sinks": intent.sinks,
            "history": intent.history,
        },
        separators=(",", ":"),
    )


def counts_in(text: str) -> tuple[int, tuple[tuple[Count, ...], ...]]:
    """Return the first offset and the counts of an intent's JSON text, whatever else it holds. Raises as `parse`."""
    document: Mapping[str, Any] = json.loads(text)
    if document["version"] != VERSION:
        raise ValueError(f"expected an intent of version {VERSION}, got {document['version']!r}")
    return document["cover"][0], tuple(tuple(map(_count, chunk)) for chunk in document["counts"])


def unknown_members(text: str, intent: Intent) -> list[str]:
    """Return the members of an intent's JSON text that `encode` would not write: a later version has added them."""
    return sorted(json.loads(text).keys() - json.loads(encode(intent)).keys())


def parse(text: str, read_rows: Callable[[Schema, tuple[Deletion, ...]], Rows]) -> Intent:
    """Return the intent of a JSON text; `read_rows` reads the rows by the intent's own schema.

    Raises ValueError, KeyError or TypeError if the text is none.
    """
    document: Mapping[str, Any] = json.loads(text)
    if document["version"] != VERSION:
        raise ValueError(f"expected an intent of version {VERSION}, got {document['version']!r}")
    schema = schema_from(document["schema"])
    deletes = tuple(Deletion(*delete) for delete in document["deletes"])
    return Intent(
        cover=Cover(*document["cover"]),
        records=document["records"],
        rejects=document["rejects"],
        clock=document["clock"],
        schema=schema,
        rows=read_rows(schema, deletes),
        counts=tuple(tuple(map(_count, chunk)) for chunk in document["counts"]),
        tables=tuple(map(_table, document["tables"])),
        topics=tuple(TopicSpec(*topic) for topic in document["topics"]),
        sinks=tuple(document.get("sinks", ())),
        history=document.get("history", False),
    )


def _count_document(count: Count) -> list[Any]:
    """A sum is an integer, or a Decimal's text."""
    return [*count[:4], [[name, total if isinstance(total, int) else str(total)] for name, total in count.sums]]


def _count(document: Sequence[Any]) -> Count:
    counter, group, bucket, amount, sums = document
    totals = tuple((name, total if isinstance(total, int) else Decimal(total)) for name, total in sums)
    return Count(counter, group, bucket, amount, totals)


def _table(document: Sequence[Any]) -> TableSpec:
    name, key, newest_by, expire_seconds = document
    return TableSpec(name, tuple(key), newest_by, expire_seconds)
