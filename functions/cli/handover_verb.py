"""The operators' verb `handover`."""

from typing import Annotated

import typer

from functions.cli.operator_terminal import operator_terminal
from functions.cli.stage_options import connect


def handover(
    pipeline_name: Annotated[str, typer.Argument(metavar="PIPELINE", help="The pipeline to hand over.")],
    to: Annotated[str, typer.Option("--to", metavar="msk|worker", help="The runtime that takes over.")],
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=1, help="How long each step may take.")
    ] = 600.0,
    execute: Annotated[  # noqa: FBT002
        bool, typer.Option("--execute", help="Hand it over. Without this, only show what would be done.")
    ] = False,
) -> None:
    """Hand a pipeline over from Lambda to the workers on EKS, or back.

    Disables one side, waits until the consumer group is empty and the ledger is still, enables the other one, watches
    it progress, and records it for the next release. If it does not progress, everything is undone. After a kill, run
    it again: it goes on from where things are.

    Needs the Lambda API and Kubernetes, by the pod's service account or KUBECONFIG.

    Exit code 0: done, or nothing to do, 1: refused or undone.

    Example: tandem handover logins --to worker --stage prod --execute
    """
    from functions.core.handover_ports import Runtime  # noqa: PLC0415
    from functions.operate.handover.run import HandoverRequest, run  # noqa: PLC0415

    if to not in set(Runtime):
        raise typer.BadParameter(f"--to: expected msk or worker, got {to!r}")
    with operator_terminal() as terminal:
        run(connect(pipeline_name), HandoverRequest(Runtime(to), timeout, execute), terminal)
