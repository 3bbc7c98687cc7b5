"""`tandem produce`, after its options are read."""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from functions import settings
from functions.bootstrap import App
from functions.cli.operator_terminal import operator_terminal
from functions.cli.stage_options import variables_of
from functions.core.errors import Misconfigured
from functions.core.pipeline import AnyPipeline
from functions.operate.input_lines import InputRecord, read_records
from sandbox.produce.generate import GeneratorOptions, generate
from sandbox.produce.send import RecordStream, Sent


@dataclass(frozen=True, slots=True)
class ProduceOptions:
    """The options of the command line: either a file, or a generator."""

    pipeline: str
    file: Path | None
    generator: GeneratorOptions | None
    envelope: bool
    per_second: float | None
    as_json: bool


def produce(options: ProduceOptions) -> int:
    """Send the records, and print how many each partition got. Exit code 1 if the brokers refused one."""
    app = App(settings.read(variables_of(options.pipeline)).for_operators())
    records = _started(_records(app.pipeline, options))
    total = options.generator.count if options.generator else None
    with operator_terminal(to_error=options.as_json) as terminal:
        stream = RecordStream(app.kafka, app.pipeline.topic, options.per_second)
        if total is not None:
            stream.progress = lambda done: terminal.progress(done, total)
        sent = stream.send(records)
    _report(app.pipeline, sent, as_json=options.as_json)
    return 1 if sent.refused else 0


def _started(records: Iterable[InputRecord]) -> Iterable[InputRecord]:
    """Read the first record now, so that what is wrong with the options is known before a client connects."""
    iterator = iter(records)
    first = next(iterator, None)
    return () if first is None else chain([first], iterator)


def _records(pipeline: AnyPipeline, options: ProduceOptions) -> Iterable[InputRecord]:
    if options.generator is not None:
        return generate(pipeline, options.generator)
    if options.file is None:
        raise Misconfigured("FILE: missing, expected a file of records, - for standard input, or --generate N")
    return read_records(options.file, envelope=options.envelope)


def _report(pipeline: AnyPipeline, sent: Sent, *, as_json: bool) -> None:
    partitions = dict(sorted(sent.partitions.items()))
    if as_json:
        described = {
            "topic": pipeline.topic, "sent": sent.count, "partitions": partitions, "refused": sent.refused,
            "problems": sent.problems,
        }  # fmt: skip
        sys.stdout.write(json.dumps(described) + "\n")
        return
    listed = ", ".join(f"{count:,} to partition {number}" for number, count in partitions.items())
    sys.stdout.write(f"sent {sent.count:,} to {pipeline.topic}{': ' + listed if listed else ''}\n")
    if sent.refused:
        sys.stdout.write(f"refused {sent.refused:,}: {'; '.join(sent.problems)}\n")
