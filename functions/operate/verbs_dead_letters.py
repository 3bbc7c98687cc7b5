"""The verbs of `tandem dead-letters`: thin, and importing what they need when they run."""

from datetime import datetime
from typing import Annotated

import typer

from functions.core.dead_letter import Reason
from functions.operate import place as places
from functions.operate.place import Place
from functions.operate.verbs import Json, desk

ReasonOption = Annotated[Reason | None, typer.Option("--reason", help="Only letters of this reason.")]
Day = Annotated[
    datetime | None,
    typer.Option(
        "--day",
        formats=["%Y-%m-%d"],
        metavar="YYYY-MM-DD",
        help="Only letters of records of this day in UTC.",
    ),
]

app = typer.Typer(
    name="dead-letters",
    help="Look at rejected records, and send them again once what rejected them is mended.",
    no_args_is_help=True,
)


@app.command("list")
def list_(
    reason: ReasonOption = None,
    day: Day = None,
    limit: Annotated[int, typer.Option(min=0, help="How many of the newest to show.")] = 20,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Count dead letters by reason and day, and show the newest.

    Example: tandem dead-letters list --reason failed --limit 5
    """
    from functions.operate import dead_letters as letters  # noqa: PLC0415
    from functions.operate import letters_text  # noqa: PLC0415

    found = letters.listing(desk(), reason, _day(day), limit)
    typer.echo(letters_text.listed_json(*found) if as_json else letters_text.listed(*found))


@app.command()
def show(place: Annotated[str, typer.Argument(metavar="TOPIC/PARTITION/OFFSET")]) -> None:
    """Show the whole letter of one record.

    Example: tandem dead-letters show user-login/3/345
    """
    from functions.operate import dead_letters as letters  # noqa: PLC0415

    wanted = _place(place)
    typer.echo(letters.show(desk(), wanted))


@app.command()
def redrive(  # noqa: PLR0913, PLR0917 - one for each option
    at: Annotated[list[str] | None, typer.Argument(metavar="[TOPIC/PARTITION/OFFSET]...")] = None,
    reason: ReasonOption = None,
    day: Day = None,
    given_up: Annotated[  # noqa: FBT002
        bool,
        typer.Option("--given-up", help="Instead of letters: what Lambda's mapping gave up on, where a gap says so."),
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Also what was, or may have been, redriven before.")] = False,  # noqa: FBT002
    go: Annotated[bool, typer.Option("--go", help="Send. Without it, only say what would be sent.")] = False,  # noqa: FBT002
) -> None:
    """Send rejected records to the source topic again: all, those chosen, or those named.

    They come as new records with the same key, value and headers, and the header tandem-redriven-from. Mend first what
    rejected them, or they come back as letters.

    Example: tandem dead-letters redrive --reason failed --day 2026-11-23 --go
    """
    if (reason or day) and (at or given_up):
        raise typer.BadParameter("--reason and --day choose among letters: give them, or places, or --given-up")
    from functions.operate import resend  # noqa: PLC0415

    choice = resend.Choice(reason, _day(day), [_place(text) for text in at or ()], given_up, again, go)
    resend.resend(desk(), choice, typer.echo)


def _place(text: str) -> Place:
    try:
        return places.parse(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _day(day: datetime | None) -> str | None:
    return None if day is None else str(day.date())
