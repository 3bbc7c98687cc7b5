"""The `tandem` command. Verbs are thin, and import what they need when they run, so that help comes at once."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from functions.core.errors import Misconfigured, TandemError
from functions.operate import verbs, verbs_dead_letters

if TYPE_CHECKING:
    from functions.core.sinks import Sink

MISCONFIGURED = 2
FAILED = 1
INTERRUPTED = 130  # as a shell has it: 128 and SIGINT

app = typer.Typer(
    name="tandem",
    help="One Kafka processing core on two AWS runtimes: Lambda for bursts, containers on EKS for steady load.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a verb and end the process. What goes wrong is one line, unless there is more to say."""
    try:
        app(None if arguments is None else list(arguments))
    except TandemError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(MISCONFIGURED if isinstance(error, Misconfigured) else FAILED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


@app.callback()
def _verbs() -> None:
    """Keep verbs verbs, however few there are."""


@app.command()
def demo(  # noqa: PLR0913, PLR0917 - one for each option
    records: Annotated[int, typer.Option(min=1, max=2_000_000, help="How many logins to generate.")] = 50_000,
    seed: Annotated[int, typer.Option(help="The same seed and number give the same logins.")] = 1,
    broker: Annotated[
        str,
        typer.Option(
            metavar="auto|apache|embedded|HOST:PORT",
            help="auto: Apache Kafka by Java and Maven or by Docker, else librdkafka's embedded broker. "
            "HOST:PORT: your own, plaintext; its topics are made, and deleted afterwards.",
        ),
    ] = "auto",
    file: Annotated[
        Path | None,
        typer.Option("--input", metavar="FILE.jsonl", help="Produce these lines as they stand, bad ones included."),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where report.json, report.html and logs go.")] = Path(
        "build/demo"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json to standard output.")] = False,  # noqa: FBT002
) -> None:
    """Run the whole story on this machine, and prove that nothing was lost or doubled.

    Logins are produced to a real Kafka. Lambda takes a burst of them; in mid-stream a worker takes over; it is killed
    with SIGKILL and started again. Then everything is read back and compared with what was produced.

    Exit code 1 if anything was lost, doubled or miscounted.
    """
    from functions.local.demo import command  # noqa: PLC0415

    raise typer.Exit(command.demo(command.Options(records, seed, broker, file, out, as_json)))


@app.command()
def worker() -> None:
    """Be the worker: settle one pipeline's records until SIGTERM.

    It is set up by variables: TANDEM_STAGE, TANDEM_PIPELINE, TANDEM_LAKE_BUCKET, TANDEM_DEAD_LETTER_BUCKET,
    TANDEM_MASK_KEY_FROM, TANDEM_BOOTSTRAP_SERVERS and those with defaults.

    Exit code 0 drained, 1 broken, 2 misconfigured.
    """
    from functions import settings  # noqa: PLC0415
    from functions.runtimes.worker.process import run  # noqa: PLC0415

    run(settings.read())


@app.command()
def bench(
    records: Annotated[int, typer.Option(min=1000, help="How many logins fill the topic.")] = 400_000,
    rounds: Annotated[int, typer.Option(min=1, help="How often each is run, in turn.")] = 3,
    broker: Annotated[str, typer.Option(metavar="auto|apache|HOST:PORT", help="See demo.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,  # noqa: FBT002
) -> None:
    """Measure one worker against a bare consume loop in the same run, and where a record's time goes."""
    from functions.local.bench import command  # noqa: PLC0415

    command.bench(command.Options(records, rounds, broker, as_json))


@app.command()
def pipelines(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,  # noqa: FBT002
) -> None:
    """List the declared pipelines: where their records come from, and where their rows go."""
    from functions import registry  # noqa: PLC0415

    declared = registry.load_all().values()
    if as_json:
        listed = [{"name": one.name, "topic": one.topic, "sinks": [*map(_described, one.sinks)]} for one in declared]
        typer.echo(json.dumps(listed, indent=1))
        return
    for one in declared:
        sinks = ", ".join(
            " ".join(filter(None, (sink["kind"], sink.get("name")))) for sink in map(_described, one.sinks)
        )
        typer.echo(f"{one.name}: from topic {one.topic} to {sinks}")


def _described(sink: "Sink") -> dict[str, Any]:
    """A sink's fields, and of which kind it is."""
    return {"kind": type(sink).__name__.lower(), **asdict(sink)}


app.command()(verbs.status)
app.add_typer(verbs_dead_letters.app)
app.command()(verbs.rewind)


if __name__ == "__main__":
    main()
