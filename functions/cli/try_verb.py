"""The verb `tandem try`. It imports what it needs when it runs."""

from pathlib import Path
from typing import Annotated

import typer

from functions.cli.operator_verbs import Json


def try_(
    pipeline: Annotated[str, typer.Argument(metavar="PIPELINE", help="The pipeline's name.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A record on each line; - for standard input.")],
    envelope: Annotated[  # noqa: FBT002
        bool,
        typer.Option(
            "--envelope",
            help="Each line is a JSON object of key, value or value_base64, headers (pairs) and timestamp (ms).",
        ),
    ] = False,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show what each line of a file becomes: rows, deletes, nothing, or a reject. Needs no broker and no stores.

    A line is a value as it stands, and an envelope's null value a tombstone. Records are decoded, processed, checked
    and masked as both runtimes do, with a mask key of its own. Repeated events of a pipeline with Dedup are dropped.
    With --json it prints an object for each line: line, outcome (rows, dropped or rejected), rows, deletes, reason
    and detail. A codec that looks schemas up needs TANDEM_REGISTRY_URL.

    Exit code 0: every line was read, whatever it became, 2: the file, an envelope or the pipeline is wrong.

    Example: tandem try logins logins.jsonl --json | jq 'select(.outcome == "rejected")'
    """
    from functions.bootstrap import now  # noqa: PLC0415
    from functions.cli.invocation import memory_app  # noqa: PLC0415
    from functions.operate.input_lines import read_records  # noqa: PLC0415
    from functions.operate.trial.run import Trial  # noqa: PLC0415
    from functions.operate.trial.text import Summary, result_json, result_text  # noqa: PLC0415

    summary = Summary()
    with memory_app(pipeline) as app:
        trial = Trial(app.pipeline, {name: app.registry(name) for name in app.pipeline.registries}, now)
        for record in read_records(file, envelope=envelope):
            result = trial.result(record)
            summary.add(result)
            typer.echo(result_json(result) if as_json else result_text(result))
    if not as_json:
        typer.echo(summary.text())
