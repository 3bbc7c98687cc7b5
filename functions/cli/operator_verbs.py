"""The operators' verbs `status`, `resume`, `quarantine` and `rewind`. Each imports what it needs when it runs."""

import json
import sys
import time
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from functions.cli.operator_terminal import operator_terminal
from functions.cli.stage_options import connect, of_stage

EXIT_FAILED: Final = 1
EXIT_BEHIND: Final = 3
CLEAR: Final = "\x1b[H\x1b[2J"  # moves to the first column of the first line, and clears the terminal
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Partition = Annotated[int, typer.Argument(min=0, metavar="PARTITION", help="The number of the partition.")]
Since = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Only if this stop, as it was shown, is still the one.")
]


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    for verb in (status, resume, quarantine, rewind):
        app.command()(of_stage(verb))


def status(
    every: Annotated[bool, typer.Option("--all", help="All pipelines that are declared.")] = False,  # noqa: FBT002
    watch: Annotated[
        float | None,
        typer.Option("--watch", metavar="SECONDS", min=1, help="Show it again every so many seconds, until ctrl-C."),
    ] = None,
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """Show each partition: the ledger next to the brokers, lag and gaps, then one line of summary.

    Works for either runtime, and changes nothing. The variables are those of the runtimes (see `tandem worker --help`),
    or with --stage those that the stage has published. With --watch and --json, each line is an object.

    Exit code 0: keeping up, 1: the brokers do not answer, 3: a partition is behind or stopped.

    Example: tandem status --stage dev --json | jq '.partitions[] | select(.behind)'
    """
    from functions import registry  # noqa: PLC0415
    from functions.operate.status.partition_status import inspect_pipeline  # noqa: PLC0415
    from functions.operate.status.text import status_text  # noqa: PLC0415

    contexts = [connect(name) for name in (registry.names() if every else [None])]
    while True:
        found = [inspect_pipeline(context) for context in contexts]
        if as_json:
            answer = [each.as_dict() for each in found]
            typer.echo(json.dumps(answer if every else answer[0], indent=None if watch else 1))
        else:
            text = "\n\n".join(map(status_text, found))
            typer.echo(f"{CLEAR}{text}" if watch and sys.stdout.isatty() else text)
        if watch is None:
            break
        time.sleep(watch)
    if any(each.needs_attention for each in found):
        raise typer.Exit(EXIT_BEHIND)
    if any(each.error for each in found):
        raise typer.Exit(EXIT_FAILED)


def resume(
    partition: Partition,
    since: Since = None,
    execute: Annotated[  # noqa: FBT002
        bool, typer.Option("--execute", help="End the stop. Without this, only show what would happen.")
    ] = False,
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """End the stop of a partition, which both runtimes keep until then, and say what will happen.

    A flood: the rejects of the refused slice become dead letters. Offsets that went back: the records at settled
    offsets count as settled. A corrupt object: it is read again.

    Example: tandem resume 3
    """
    from functions.operate.resume.run import ResumeRequest, run  # noqa: PLC0415

    with operator_terminal(to_error=as_json) as terminal:
        stopped = run(connect(), ResumeRequest(partition, since, execute), terminal.say)
    if as_json:
        _print(stopped.as_dict(), executed=execute)


def quarantine(
    partition: Partition,
    since: Since = None,
    execute: Annotated[  # noqa: FBT002
        bool, typer.Option("--execute", help="Set it aside. Without this, only show what would be done.")
    ] = False,
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """Set the lake object aside that a partition is stopped by, so that its records are evaluated anew.

    Copies the object to the dead letter bucket, verifies the copy, and deletes the object from the lake. The stop
    stands until `tandem resume`.

    Example: tandem quarantine 3
    """
    from functions.operate.quarantine.run import QuarantineRequest, run  # noqa: PLC0415

    with operator_terminal(to_error=as_json) as terminal:
        result = run(connect(), QuarantineRequest(partition, since, execute), terminal.say)
    if as_json:
        _print(result.as_dict(), executed=execute)


def rewind(  # noqa: PLR0913, PLR0917 - one for each option
    partition: Partition,
    to: Annotated[int, typer.Option("--to", min=0, metavar="OFFSET", help="The next offset to settle.")],
    expected: Annotated[
        int | None,
        typer.Option("--from", min=0, metavar="OFFSET", help="The ledger's present offset; required by --execute."),
    ] = None,
    all_new: Annotated[  # noqa: FBT002
        bool, typer.Option("--all-new", help="Every record from --to on is new, even those with old timestamps.")
    ] = False,
    execute: Annotated[  # noqa: FBT002
        bool, typer.Option("--execute", help="Move it. Without this, only show what would be done.")
    ] = False,
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """Move the ledger of a partition back, after its topic was recreated or its cluster restored.

    Both runtimes stop with "offsets went back" then. This shows the ledger's offset and the log, and refuses whatever
    would lose or duplicate records.

    Example: tandem rewind 3 --to 0
    """
    from functions.operate.rewind.run import RewindRequest, run  # noqa: PLC0415

    if execute and expected is None:
        raise typer.BadParameter("--execute requires --from, the ledger's offset: run it without --execute to see it")
    request = RewindRequest(partition, to, expected, all_new, execute)
    with operator_terminal(to_error=as_json) as terminal:
        snapshot = run(connect(), request, terminal.say)
    if as_json:
        _print(snapshot.as_dict(), executed=execute)


def _print(found: Mapping[str, Any], *, executed: bool) -> None:
    typer.echo(json.dumps({**found, "executed": executed}, indent=1))
