"""The operators' verbs of `tandem dead-letters`. Each imports what it needs when it runs."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from functions.cli.letter_options import Places, place_of, selecting
from functions.cli.operator_terminal import operator_terminal
from functions.cli.operator_verbs import EXIT_FAILED, Json
from functions.cli.stage_options import connect, of_stage

if TYPE_CHECKING:
    from functions.operate.dead_letters.selection import Selection

PerSecond = Annotated[
    int | None, typer.Option("--per-second", min=1, metavar="RECORDS", help="At most so many records per second.")
]

app = typer.Typer(
    name="dead-letters",
    help="Show rejected records, and send them again once the cause is fixed.",
    no_args_is_help=True,
)


@app.command("list")
@of_stage
@selecting
def list_(
    selection: "Selection",
    limit: Annotated[int, typer.Option(min=0, help="How many of the newest letters to show.")] = 20,
    closed: Annotated[  # noqa: FBT002
        bool, typer.Option("--closed", help="Show letters that were redriven or discarded, too.")
    ] = False,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Count dead letters by reason and day, and show the newest open ones.

    Example: tandem dead-letters list --reason failed --since 2h --limit 5
    """
    from functions.operate.dead_letters.listing import list_letters  # noqa: PLC0415
    from functions.operate.dead_letters.text import list_json, list_text  # noqa: PLC0415

    counts, newest = list_letters(connect(), selection, limit, partial(typer.echo, err=True), closed=closed)
    typer.echo(list_json(counts, newest) if as_json else list_text(counts, newest))


@app.command()
@of_stage
@selecting
def summary(
    selection: "Selection",
    limit: Annotated[int, typer.Option(min=1, help="How many of the largest groups to show.")] = 20,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Count open dead letters by reason and cause, with examples. Reads each letter.

    The cause is the field of an invalid event, of any other letter its detail without numbers and quoted texts.

    Example: tandem dead-letters summary --since 2h
    """
    from functions.operate.summary.run import summarize  # noqa: PLC0415
    from functions.operate.summary.text import summary_json, summary_text  # noqa: PLC0415

    with operator_terminal(to_error=True) as terminal:
        counted = summarize(connect(), selection, terminal)
    typer.echo(summary_json(counted, limit) if as_json else summary_text(counted, limit))


@app.command()
@of_stage
@selecting
def export(
    selection: "Selection",
    places: Places = None,  # noqa: ARG001 - part of the selection
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="The file; default, or -: standard output.")
    ] = None,
    closed: Annotated[  # noqa: FBT002
        bool, typer.Option("--closed", help="Also letters that were redriven or discarded.")
    ] = False,
) -> None:
    """Write open dead letters as JSON lines: each with its whole record, unmasked, as `list --json` shows them.

    A file is there only when it is complete, and replaces an old one. It is readable by its owner only.

    Exit code 0: all were exported, 1: some could not be read, or written, 2: the file cannot be created.

    Example: tandem dead-letters export --reason invalid --to letters.jsonl
    """
    from functions.cli.output_file import line_output  # noqa: PLC0415
    from functions.operate.export.run import run  # noqa: PLC0415

    with line_output(to, "--to") as write, operator_terminal(to_error=True) as terminal:
        unreadable = run(connect(), selection, write, terminal, closed=closed)
    if unreadable:
        raise typer.Exit(EXIT_FAILED)


@app.command()
@of_stage
def show(place: Annotated[str, typer.Argument(metavar="TOPIC/PARTITION/OFFSET", help="The record's place.")]) -> None:
    """Show the dead letters of one record, whole.

    Example: tandem dead-letters show user-login/3/345
    """
    from functions.operate.dead_letters.listing import letters_of  # noqa: PLC0415
    from functions.operate.dead_letters.text import letter_text  # noqa: PLC0415

    wanted = place_of(place)
    typer.echo("\n\n".join(map(letter_text, letters_of(connect(), wanted))))


@app.command()
@of_stage
@selecting
def redrive(  # noqa: PLR0913, PLR0917 - one for each option
    selection: "Selection",
    places: Places = None,  # noqa: ARG001 - part of the selection
    given_up: Annotated[  # noqa: FBT002
        bool,
        typer.Option("--given-up", help="Instead of letters, records that Lambda's mapping gave up on, if in a gap."),
    ] = False,
    value_map: Annotated[
        str | None,
        typer.Option("--map", metavar="FILE.py:FUNCTION", help="Fix values: FUNCTION gets the bytes, returns others."),
    ] = None,
    include_redriven: Annotated[  # noqa: FBT002
        bool,
        typer.Option("--include-redriven", help="Also what was, or may have been, redriven before, or was discarded."),
    ] = False,
    per_second: PerSecond = None,
    execute: Annotated[  # noqa: FBT002
        bool, typer.Option("--execute", help="Send. Without this, only show what would be sent.")
    ] = False,
) -> None:
    """Send rejected records to the source topic again: all of them, a selection, or those named.

    They arrive as new records with the same key, value and headers, and the header tandem-redriven-from. Fix what
    rejected them first, or they are rejected again. Ctrl-C finishes at most 100 records; run it again for the others.

    --map calls a function of yours with each value's bytes, also without --execute. If it raises, or returns no bytes,
    the record is skipped: it is named, and its letter stays open.

    Exit code 0: all were sent, 1: some were skipped or refused, 130: interrupted.

    Example: tandem dead-letters redrive --reason failed --day 2026-11-23 --execute
    """
    from functions.operate.redrive.run import RedriveRequest, run  # noqa: PLC0415
    from functions.operate.redrive.value_map import load  # noqa: PLC0415

    if given_up and not selection.is_places:
        raise typer.BadParameter("--reason, --day and the like select letters: they exclude --given-up")
    function = None if value_map is None else load(value_map)
    request = RedriveRequest(selection, given_up, include_redriven, execute, function, per_second)
    with operator_terminal() as terminal:
        run(connect(), request, terminal)


@app.command()
@of_stage
@selecting
def discard(
    selection: "Selection",
    places: Places = None,  # noqa: ARG001 - part of the selection
    every: Annotated[bool, typer.Option("--all", help="All letters, without a selection.")] = False,  # noqa: FBT002
    per_second: PerSecond = None,
    execute: Annotated[  # noqa: FBT002
        bool, typer.Option("--execute", help="Discard them. Without this, only show what would be discarded.")
    ] = False,
) -> None:
    """Close letters whose records need not be processed: a selection, those of the records named, or all.

    They are not counted and not redriven any more. Nothing is deleted: `dead-letters redrive --include-redriven` sends
    them nevertheless. Ctrl-C finishes at most 100 records; run it again for the others.

    Example: tandem dead-letters discard --reason undecodable --until 2026-11-23
    """
    from functions.operate.discard.run import DiscardRequest, run  # noqa: PLC0415

    if every != selection.is_everything:
        raise typer.BadParameter("expected either places, or options that select letters, or --all")
    with operator_terminal() as terminal:
        run(connect(), DiscardRequest(selection, execute, per_second), terminal)
