"""The verbs of the sandbox. `tandem` has them only where this folder is installed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from functions.cli import stage_options


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    stage_options.finders.append(_find_sandbox)
    app.command()(up)
    app.command()(down)
    app.command()(env)
    app.command()(stage_options.of_stage(produce))
    app.command()(stage_options.of_stage(tail))
    app.command()(demo)
    app.command()(bench)
    app.command()(smoke)


def _find_sandbox() -> Mapping[str, str] | None:
    from sandbox.up.state import find  # noqa: PLC0415

    return find()


def up(
    broker: Annotated[
        str,
        typer.Option(metavar="auto|apache|embedded", help="See tandem demo --help. Only Apache Kafka keeps its data."),
    ] = "auto",
    runtime: Annotated[
        str, typer.Option(metavar="worker|msk", help="What settles a pipeline until tandem handover chooses otherwise.")
    ] = "worker",
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete what an earlier sandbox left.")] = False,  # noqa: FBT002
    detach: Annotated[  # noqa: FBT002
        bool, typer.Option("--detach", "-d", help="Run in the background, and return when everything answers.")
    ] = False,
) -> None:
    """Keep a stage running on this machine: Kafka, AWS emulator, all pipelines with their stores and both runtimes.

    Every other command finds it without options. Shows what each pipeline settles. When a pipeline's file is saved, the
    runtimes restart; a file that cannot be imported is reported, and the old code goes on. Topics and stores survive
    until --fresh. One sandbox runs in a checkout at a time.

    Example: tandem up --detach && tandem status
    """
    from functions.core.handover_ports import Runtime  # noqa: PLC0415
    from sandbox.up import command  # noqa: PLC0415
    from sandbox.up.state import SandboxFolder  # noqa: PLC0415

    if runtime not in set(Runtime):
        raise typer.BadParameter(f"--runtime: expected worker or msk, got {runtime!r}")
    raise typer.Exit(command.up(command.UpOptions(broker, Runtime(runtime), fresh, detach), SandboxFolder()))


def down(
    fresh: Annotated[bool, typer.Option("--fresh", help="Delete its data, too.")] = False,  # noqa: FBT002
) -> None:
    """End the running sandbox in good order: what is in flight ends, and the stores are saved.

    Example: tandem down --fresh
    """
    from sandbox.up import command  # noqa: PLC0415
    from sandbox.up.state import SandboxFolder  # noqa: PLC0415

    raise typer.Exit(command.down(SandboxFolder(), fresh=fresh))


def env(
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,  # noqa: FBT002
) -> None:
    """Print the variables with which other programs reach the running sandbox. Tandem's own commands find it anyway.

    Example: eval "$(tandem env)"
    """
    from sandbox.up import command  # noqa: PLC0415
    from sandbox.up.state import SandboxFolder  # noqa: PLC0415

    raise typer.Exit(command.env(SandboxFolder(), as_json=as_json))


def produce(  # noqa: PLR0913, PLR0917 - one for each option
    pipeline_name: Annotated[str, typer.Argument(metavar="PIPELINE", help="The pipeline to send them to.")],
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A record on each line; - for standard input.")
    ] = None,
    generate: Annotated[
        int | None, typer.Option("--generate", min=1, metavar="N", help="Make so many records from the event model.")
    ] = None,
    envelope: Annotated[  # noqa: FBT002
        bool,
        typer.Option(
            "--envelope",
            help="Each line is a JSON object of key, value or value_base64, headers (pairs) and timestamp (ms).",
        ),
    ] = False,
    key: Annotated[
        str | None, typer.Option(metavar="FIELD", help="The event's field that is the key of generated records.")
    ] = None,
    invalid: Annotated[
        float, typer.Option(min=0, max=1, metavar="SHARE", help="The share of generated records that is broken.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="The same seed generates the same records.")] = 1,
    per_second: Annotated[
        float | None, typer.Option("--per-second", min=0.01, metavar="N", help="Send at most so many a second.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,  # noqa: FBT002
) -> None:
    """Send records to a pipeline's source topic: the lines of a file, or generated ones.

    Without --stage they go to the running sandbox. Lines are those of tandem try. Generated records have values that
    the event model's fields allow, or that their examples name, and the pipeline accepts each of them.

    Exit code 0: all were acknowledged, 1: the brokers refused some, or do not answer, 2: wrong options or lines.

    Example: tandem produce logins --generate 1000 --invalid 0.02
    """
    from sandbox.produce import command  # noqa: PLC0415
    from sandbox.produce.generate import GeneratorOptions  # noqa: PLC0415

    if (file is None) is (generate is None):
        raise typer.BadParameter("expected either FILE or --generate N")
    generator = None if generate is None else GeneratorOptions(generate, seed, invalid, key)
    options = command.ProduceOptions(pipeline_name, file, generator, envelope, per_second, as_json)
    raise typer.Exit(command.produce(options))


def tail(
    sink: Annotated[
        str,
        typer.Argument(metavar="SINK", help="lake, dead-letters, counters, or the name of a sink or a topic."),
    ],
    count: Annotated[
        int, typer.Option("-n", "--lines", min=0, help="How many of the last entries to print first.")
    ] = 10,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with new entries, until ctrl-C.")] = False,  # noqa: FBT002
    as_json: Annotated[bool, typer.Option("--json", help="Print an object for each entry.")] = False,  # noqa: FBT002
) -> None:
    """Print what arrives in a sink: rows of the lake or a table, messages of a topic, counters, dead letters.

    Without --stage it reads the running sandbox.

    Example: tandem tail processed-user-login --follow --json | jq .value
    """
    from sandbox.tail import command  # noqa: PLC0415

    command.tail(command.TailOptions(sink, count, follow, as_json))


def demo(  # noqa: PLR0913, PLR0917 - one for each option
    records: Annotated[int, typer.Option(min=1, max=2_000_000, help="The number of logins to generate.")] = 50_000,
    seed: Annotated[int, typer.Option(help="The same seed and number generate the same logins.")] = 1,
    broker: Annotated[
        str,
        typer.Option(
            metavar="auto|apache|embedded|HOST:PORT",
            help="auto: Apache Kafka by Java and Maven or by Docker, else librdkafka's embedded broker. "
            "HOST:PORT: your own, plaintext; the demo creates its topics there and deletes them at the end.",
        ),
    ] = "auto",
    file: Annotated[
        Path | None,
        typer.Option("--input", metavar="FILE.jsonl", help="Produce these lines unchanged, invalid ones included."),
    ] = None,
    pipeline_name: Annotated[str, typer.Option("--pipeline", metavar="NAME", help="Any declared pipeline.")] = "logins",
    envelope: Annotated[  # noqa: FBT002
        bool, typer.Option("--envelope", help="Lines of --input are envelopes, as of tandem try and produce.")
    ] = False,
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder for report.json, report.html and logs.")] = Path(
        "build/demo"
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json to standard output.")] = False,  # noqa: FBT002
) -> None:
    """Run both runtimes on this machine, with a crash, and prove that no record was lost or doubled.

    Logins are produced to a Kafka broker. Lambda processes a burst of them,
    then a worker takes over. The worker is killed with SIGKILL and started
    again. At the end everything is read back and compared with what was
    produced.

    With --pipeline, records of that pipeline are generated from its event model, or read from --input. They are
    compared with what the same records become when one process settles them, without faults.

    Exit code 1: a record was lost, doubled or wrong, or a store does not match.

    Example: tandem demo --records 10000 --broker embedded
    """
    from sandbox.demo import command  # noqa: PLC0415

    if envelope and file is None:
        raise typer.BadParameter("--envelope is for the lines of --input")
    options = command.DemoOptions(records, seed, broker, file, pipeline_name, envelope, out, as_json)
    raise typer.Exit(command.demo(options))


def bench(  # noqa: PLR0913, PLR0917 - one for each option
    records: Annotated[
        int | None, typer.Option(min=1000, help="The number of logins in a topic; 200,000, or 20,000 with --quick.")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="How often everything is measured, in turn; 3, or 1 with --quick.")
    ] = None,
    broker: Annotated[str, typer.Option(metavar="auto|apache|HOST:PORT", help="See tandem demo --help.")] = "auto",
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Measure only this, or this group; may be repeated.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer records, one round: about two minutes.")] = False,  # noqa: FBT002
    out: Annotated[Path, typer.Option(metavar="DIR", help="The folder for report.json, report.html and downloads.")] = (
        Path("build/bench")
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print report.json to standard output.")] = False,  # noqa: FBT002
) -> None:
    """Measure Tandem beside its peers: a hand-written loop, aiokafka, FastStream, Quix, Kafka Connect, Powertools.

    All of them read the same logins from the same Kafka, in turn, so that their ratios hardly depend on the machine.

    Example: tandem bench --quick --only worker --only hand
    """
    from sandbox.bench import command  # noqa: PLC0415

    default_records, default_rounds = (20_000, 1) if quick else (200_000, 3)
    selected = tuple(only or ())
    command.bench(
        command.BenchOptions(
            records or default_records, rounds or default_rounds, broker, selected, quick, out.absolute(), as_json
        )
    )


def smoke(  # noqa: PLR0913, PLR0917 - one for each option
    stage: Annotated[str, typer.Option(metavar="NAME", help="A deployed stage, or sandbox.")] = "sandbox",
    records: Annotated[int, typer.Option(min=100, max=100_000, help="The number of logins to produce.")] = 1000,
    seed: Annotated[
        int, typer.Option(help="The same seed and number make the same logins, but for users and times.")
    ] = 1,
    pod: Annotated[
        str | None,
        typer.Option(metavar="NAMESPACE/POD", help="Reach the stage from this pod, which has the worker's image."),
    ] = None,
    handover: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="Hands the pipeline over; run when half is settled.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Leave what was stored in the stage.")] = False,  # noqa: FBT002
    broker: Annotated[
        str, typer.Option(metavar="auto|apache|embedded", help="The sandbox's broker, see tandem demo --help.")
    ] = "auto",
    as_json: Annotated[bool, typer.Option("--json", help="Print events, one JSON object a line.")] = False,  # noqa: FBT002
) -> None:
    """Send logins through a deployed stage, and prove that each had its effects exactly once.

    Produces logins of separate users, with invalid ones among them, waits until they are settled, compares lake,
    dead letters, counters, table, output topic and announcements with them, and removes what was stored. Other
    records of the stage are not touched. Without --stage, it does so in a sandbox on this machine, from Lambda to a
    worker.

    Exit code 0: exact and cleaned up, 1: something was lost, doubled, wrong or left, or the stage does not go on,
    2: wrong options.

    Example: tandem smoke --stage dev --pod tandem-admin/admin
    """
    from sandbox.smoke import command  # noqa: PLC0415

    options = command.SmokeOptions(stage, records, seed, pod, handover, keep, broker, as_json)
    raise typer.Exit(command.smoke(options))
