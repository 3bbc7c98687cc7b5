"""`tandem tail`, after its options are read."""

import json
import sys
import time
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from functions import settings
from functions.bootstrap import App
from functions.cli.stage_options import variables_of
from functions.core import names
from functions.core.errors import InvalidSetting
from functions.operate.formatting import printable
from sandbox.tail.reading import ObjectReading, Reading, TableReading, TopicReading, lake_rows, letter

LOOK_SECONDS: Final = 0.5
LAKE, LETTERS, COUNTERS = "lake", "dead-letters", "counters"


@dataclass(frozen=True, slots=True)
class TailOptions:
    """The options of the command line."""

    sink: str
    count: int
    follow: bool
    as_json: bool


def tail(options: TailOptions) -> None:
    """Print the last entries of a sink, and with `follow` new ones until ctrl-C."""
    app = App(settings.read(variables_of()).for_operators())
    reading = _reading(app, options.sink)
    _show(reading.last(options.count), as_json=options.as_json)
    while options.follow:
        time.sleep(LOOK_SECONDS)
        _show(reading.new(), as_json=options.as_json)


def _reading(app: App, sink: str) -> Reading:
    """Return the reading of a sink. InvalidSetting if the pipeline has none of this name."""
    pipeline, stage = app.pipeline, app.settings.stage
    tables, topics = [each.name for each in pipeline.tables], [each.name for each in pipeline.topics]
    if sink == LETTERS:
        return ObjectReading(app.aws.s3, app.settings.dead_letter_bucket, f"{pipeline.name}/", letter)
    if sink == LAKE and pipeline.has_lake:
        return ObjectReading(app.aws.s3, app.settings.lake_bucket, f"{pipeline.name}/", lake_rows)
    if sink == COUNTERS or sink in {each.name for each in pipeline.counters}:
        return TableReading(app.aws.dynamodb, names.counters_table(stage), "" if sink == COUNTERS else sink)
    if sink in tables:
        return TableReading(app.aws.dynamodb, names.rows_table(stage, sink))
    if sink in {*topics, pipeline.topic}:
        return TopicReading(app.kafka, sink)
    counters = [each.name for each in pipeline.counters]
    known = [*([LAKE] if pipeline.has_lake else []), *counters, *tables, *topics, LETTERS, pipeline.topic]
    raise InvalidSetting(f"SINK: {pipeline.name} has no {sink!r}, expected one of {', '.join(known)}")


def _show(entries: list[dict[str, Any]], *, as_json: bool) -> None:
    for entry in entries:
        if as_json:
            sys.stdout.write(json.dumps(entry, default=_plain) + "\n")
        else:
            cells = (f"{name}={_cell(value)}" for name, value in entry.items() if value is not None)
            sys.stdout.write("  ".join(cells) + "\n")
    sys.stdout.flush()


def _plain(value: Any) -> int | float | str:  # noqa: ANN401 - what JSON has no form for
    """Return DynamoDB's numbers as numbers, and anything else as text."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def _cell(value: Any) -> str:  # noqa: ANN401 - any JSON
    return printable(value if isinstance(value, str) else json.dumps(value, default=_plain))
