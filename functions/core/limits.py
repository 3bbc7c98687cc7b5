"""What the stores behind the sinks refuse, found before anything is stored: such a row is a reject, not a stall."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic_core import to_json

from functions.core.pipeline import AnyPipeline

TABLE_ROW_BYTES: Final = 350_000  # DynamoDB takes items of 400 KB ("Quotas in Amazon DynamoDB")
KEY_BYTES: Final = 2048  # and partition keys of 1 to 2048 bytes
GROUP_BYTES: Final = 512
TOPIC_ROW_BYTES: Final = 900_000  # Kafka's brokers take batches of 1 MiB unless told otherwise
SUSPICIOUS: Final = 32_000

Columns = Mapping[str, Sequence[Any]]


def unfit(pipeline: AnyPipeline, sizes: Sequence[int], columns: Columns) -> dict[int, str]:
    """Why, for each row number that a sink could not take; `sizes` are those of the records, in bytes."""
    return dict(_keys(pipeline, columns)) | dict(_rows(pipeline, sizes, columns))


def _keys(pipeline: AnyPipeline, columns: Columns) -> Iterator[tuple[int, str]]:
    for table in pipeline.tables:
        yield from _texts(columns, table.key, 1, KEY_BYTES, f"the key of table {table.name!r}")
    for sink in pipeline.counters:
        for (
            name
        ) in sink.by:  # in the key percent-encoded, three bytes for one, beside the sink's name and the other fields
            yield from _texts(columns, name, 0, GROUP_BYTES // len(sink.by), f"a group of counter {sink.name!r}")


def _texts(columns: Columns, name: str, least: int, most: int, what: str) -> Iterator[tuple[int, str]]:
    column = columns[name]
    bad = {text for text in set(column) if isinstance(text, str) and not least <= len(text.encode()) <= most}
    if bad:
        yield from (
            (at, f"{name}: {what} takes {least} to {most} bytes") for at, text in enumerate(column) if text in bad
        )


def _rows(pipeline: AnyPipeline, sizes: Sequence[int], columns: Columns) -> Iterator[tuple[int, str]]:
    """Only rows of large records are measured: the others are far from any limit unless `process` inflates them."""
    room = min([TABLE_ROW_BYTES] * bool(pipeline.tables) + [TOPIC_ROW_BYTES] * bool(pipeline.topics), default=0)
    for at, size in enumerate(sizes):
        if room and size > SUSPICIOUS:
            row = len(to_json({name: column[at] for name, column in columns.items()}))
            if row > room:
                yield at, f"the row takes {row} bytes as JSON, its sinks take {room}"
