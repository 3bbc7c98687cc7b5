"""The verb `tandem erase`. It imports what it needs when it runs."""

import json
import sys
from typing import Annotated

import typer

from functions.cli.operator_verbs import EXIT_BEHIND, Json
from functions.cli.stage_options import connect


def erase(
    key: Annotated[
        str, typer.Argument(metavar="KEY", help="What identifies the person, unmasked; - reads it from standard input.")
    ],
    column: Annotated[
        str | None,
        typer.Option(metavar="FIELD", help="The field of the rows that holds KEY. Default: the tables' partition key."),
    ] = None,
    mentions: Annotated[  # noqa: FBT002
        bool, typer.Option("--mentions", help="Also dead letters that contain KEY anywhere but in their record's key.")
    ] = False,
    execute: Annotated[  # noqa: FBT002
        bool, typer.Option("--execute", help="Erase it. Without this, only show what would be erased.")
    ] = False,
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """Find and erase one person's data in the dead letters, the lake and the tables of a pipeline.

    A dead letter is theirs if KEY is its record's key, a row if KEY is the value of the column. If the column is
    masked, rows with KEY's mask are theirs, too. Old versions of objects are removed. Only what the ledger has passed
    is touched. Run it again if it was interrupted, and until it finds nothing.

    Exit code 0: nothing is left in these stores, 1: a store does not answer, 2: KEY or the column is wrong, 3: data
    is left.

    Example: tandem erase user-17 --stage dev --pipeline logins
    """
    from functions.operate.erase.run import EraseRequest, run  # noqa: PLC0415
    from functions.operate.erase.text import report_text  # noqa: PLC0415

    key = sys.stdin.readline().removesuffix("\n") if key == "-" else key
    report = run(connect(), EraseRequest(key, column, mentions, execute))
    typer.echo(json.dumps(report.as_dict(), indent=1) if as_json else report_text(report))
    if not report.is_clean:
        raise typer.Exit(EXIT_BEHIND)
