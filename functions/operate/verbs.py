"""The operator verbs as `tandem` has them: thin, and importing what they need when they run."""

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from functions.operate.desk import Desk

Json = Annotated[bool, typer.Option("--json", help="For programs.")]


def status(as_json: Json = False) -> None:  # noqa: FBT002 - an option
    """Say where each partition stands: the ledger beside the brokers, lag, gaps, and one line of summary.

    It takes the variables of the runtimes (see `tandem worker --help`), works for either runtime, and changes nothing.

    Example: tandem status --json | jq '.partitions[] | select(.behind)'
    """
    from functions.operate import status as looking  # noqa: PLC0415
    from functions.operate import text  # noqa: PLC0415

    at = desk()
    standings, silence = looking.look(at, datetime.now(UTC))
    summary = looking.summary(standings, silence)
    if as_json:
        about = {"pipeline": at.pipeline.name, "topic": at.pipeline.topic, "group": at.brokers.group}
        told = about | {"summary": summary, "brokers": silence, "partitions": [one.told() for one in standings]}
        typer.echo(json.dumps(told, indent=1))
        return
    typer.echo(text.status(standings))
    typer.echo(f"{at.pipeline.name}: {summary}")


def rewind(
    partition: Annotated[int, typer.Argument(min=0, metavar="PARTITION", help="Its number.")],
    to: Annotated[int, typer.Option("--to", min=0, metavar="OFFSET", help="The next offset to settle.")],
    seen: Annotated[
        int | None,
        typer.Option("--from", min=0, metavar="OFFSET", help="Where the ledger must stand; needed by --go."),
    ] = None,
    all_new: Annotated[  # noqa: FBT002
        bool, typer.Option("--all-new", help="Every record from --to on is new, whatever its timestamp says.")
    ] = False,
    go: Annotated[bool, typer.Option("--go", help="Move it. Without it, only say what would be done.")] = False,  # noqa: FBT002
) -> None:
    """Move the ledger of a partition back, after its topic was recreated or its cluster restored.

    Both runtimes stop with "offsets went back" then. This shows what the ledger says and what the log holds, and
    refuses whatever would lose or double records.

    Example: tandem rewind 3 --to 0, and then what it answers
    """
    from functions.operate import rewind as rewinding  # noqa: PLC0415

    if go and seen is None:
        raise typer.BadParameter("--go takes --from, the ledger's offset that you saw: run it without --go first")
    rewinding.run(desk(), rewinding.Wish(partition, to, seen, all_new, go), typer.echo)


def desk() -> "Desk":
    """From this process's settings, read when a verb runs."""
    from functions import settings  # noqa: PLC0415
    from functions.operate.desk import Desk  # noqa: PLC0415

    return Desk(settings.read())
