"""The operators' verb `console`. It imports what it needs when it runs."""

from typing import Annotated

import typer

from functions.cli.stage_options import connect
from functions.core.errors import Misconfigured


def console(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes any free one.")] = 8600,
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Where to listen; beyond loopback, a token is needed."),
    ] = "127.0.0.1",
    write: Annotated[  # noqa: FBT002
        bool, typer.Option("--write", help="Let it redrive, discard, resume, quarantine and hand over.")
    ] = False,
) -> None:
    """Serve a web page for all of it: pipelines, partitions, lag, dead letters, stops, handover.

    Works on the running sandbox, or with --stage on a deployed one: run it in an admin pod, and reach it by
    kubectl port-forward. Read-only unless --write; each change is a dry run first, as on the command line.

    Example: tandem console --write
    """
    from functions import registry  # noqa: PLC0415

    try:
        from functions.operate.console.server import ConsoleOptions, serve  # noqa: PLC0415
    except ImportError:
        raise Misconfigured("the packages of the console are missing: pip install 'tandem[console]'") from None

    contexts = {name: connect(name) for name in registry.names()}
    if not contexts:
        raise Misconfigured(registry.NONE)
    stage = next(iter(contexts.values())).stage
    serve(stage, contexts, ConsoleOptions(host, port, write), typer.echo)
