"""The verb `tandem invoke`. It imports what it needs when it runs."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from functions.cli.operator_verbs import Json

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from functions.bootstrap import App

MAX_FUNCTION_SECONDS = 840.0  # "Using Lambda with Amazon MSK": at most 14 minutes


def invoke(
    event: Annotated[Path, typer.Argument(metavar="EVENT.json", help="An event of an MSK event source mapping.")],
    pipeline: Annotated[str, typer.Option("--pipeline", metavar="NAME", help="The pipeline that settles it.")],
    real_stores: Annotated[  # noqa: FBT002
        bool, typer.Option("--real-stores", help="Use the stores that the TANDEM_* variables name, not memory.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=3, metavar="SECONDS", help="The time limit that the handler sees.")
    ] = MAX_FUNCTION_SECONDS,
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Run the Lambda handler in this process on one event, so that a debugger can stop in it.

    Stores are in memory and start empty, unless --real-stores is given. Prints what happened to each slice; log lines
    and metrics go to standard error.

    Exit code 0: settled, 1: the handler raised, 2: the event or the pipeline is wrong.

    Example: python -m pdb -m functions.cli.main invoke event.json --pipeline logins
    """
    from functions.cli import invocation  # noqa: PLC0415

    content = invocation.read_event(event)
    with _real_app(pipeline) if real_stores else invocation.memory_app(pipeline) as app:
        result = invocation.invoke(app, content, timeout)
    typer.echo(json.dumps(result.as_dict(), indent=1) if as_json else result.text())
    if result.error is not None:
        raise typer.Exit(1)


def _real_app(pipeline: str) -> "AbstractContextManager[App]":
    from functions import settings  # noqa: PLC0415
    from functions.bootstrap import App  # noqa: PLC0415

    return nullcontext(App(settings.read().model_copy(update={"pipeline": pipeline})))
