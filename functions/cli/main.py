"""The `tandem` command. Verbs are thin, and import what they need when they run, so that help stays fast."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any

import typer

from functions.cli import dead_letter_verbs, operator_verbs
from functions.cli.acl_verb import acls
from functions.cli.console_verb import console
from functions.cli.erase_verb import erase
from functions.cli.handover_verb import handover
from functions.cli.invoke_verb import invoke
from functions.cli.new_verb import new
from functions.cli.operator_verbs import EXIT_FAILED, Json
from functions.cli.plan_verb import plan
from functions.cli.stage_options import of_stage
from functions.cli.try_verb import try_
from functions.cli.version import VERSION
from functions.core.errors import Misconfigured, TandemError

if TYPE_CHECKING:
    from functions.core.sinks import Sink

EXIT_MISCONFIGURED = 2
EXIT_INTERRUPTED = 130  # 128 plus SIGINT's number, as shells report it

app = typer.Typer(
    name="tandem",
    help="One Kafka processing core on two AWS runtimes: Lambda for bursts, containers on EKS for steady load.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a verb and exit. An expected error is one line on standard error; any other shows its traceback."""
    try:
        app(None if arguments is None else list(arguments))
    except TandemError as error:
        from functions.operate.formatting import printable  # noqa: PLC0415

        sys.stderr.write(f"error: {printable(str(error))}\n")
        sys.exit(EXIT_MISCONFIGURED if isinstance(error, Misconfigured) else EXIT_FAILED)
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - typer's callback
    if wanted:
        typer.echo(f"tandem {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[  # noqa: FBT002
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take the options that come before a verb."""


@app.command()
def worker() -> None:
    """Run the worker: settle one pipeline's records until SIGTERM.

    Variables configure it: TANDEM_STAGE, TANDEM_PIPELINE, TANDEM_LAKE_BUCKET, TANDEM_DEAD_LETTER_BUCKET,
    TANDEM_MASK_KEY_FROM, TANDEM_BOOTSTRAP_SERVERS and those with defaults (see docs/configuration.md).

    Exit code 0: drained, 1: failed, 2: misconfigured.

    Example: TANDEM_LOG_LEVEL=DEBUG tandem worker
    """
    from functions import settings  # noqa: PLC0415
    from functions.runtimes.worker.process import run  # noqa: PLC0415

    run(settings.read())


@app.command()
def pipelines(as_json: Json = False) -> None:  # noqa: FBT002
    """List the declared pipelines, with their source topics and sinks.

    Example: tandem pipelines --json | jq '.[].topic'
    """
    from functions import registry  # noqa: PLC0415

    declared = registry.load_all().values()
    if as_json:
        listing = [
            {"name": pipeline.name, "topic": pipeline.topic, "sinks": [*map(_described, pipeline.sinks)]}
            for pipeline in declared
        ]
        typer.echo(json.dumps(listing, indent=1))
        return
    for pipeline in declared:
        sinks = [" ".join(filter(None, (sink["kind"], sink.get("name")))) for sink in map(_described, pipeline.sinks)]
        typer.echo(f"{pipeline.name}: from topic {pipeline.topic} to {', '.join(sinks)}")


def _described(sink: "Sink") -> dict[str, Any]:
    """Return a sink's fields and its kind."""
    return {"kind": type(sink).__name__.lower(), **asdict(sink)}


app.command()(new)
app.command()(invoke)
app.command("try")(try_)
operator_verbs.register(app)
app.command()(of_stage(acls))
app.command()(of_stage(erase))
app.command()(of_stage(handover))
app.command()(of_stage(plan))
app.command()(of_stage(console))
app.add_typer(dead_letter_verbs.app)
if find_spec("sandbox") is not None:  # in a checkout, but not in the wheel, the zip or the image
    import_module("sandbox.verbs").register(app)


if __name__ == "__main__":
    main()
