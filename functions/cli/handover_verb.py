"""The operators' verb `handover`."""

import json
from typing import Annotated, Final

import typer

from functions.cli.operator_terminal import operator_terminal
from functions.cli.operator_verbs import Json
from functions.cli.stage_options import connect

AUTO: Final = "auto"


def handover(  # noqa: PLR0913, PLR0917 - one for each option
    pipeline_name: Annotated[str, typer.Argument(metavar="PIPELINE", help="The pipeline to hand over.")],
    to: Annotated[
        str, typer.Option("--to", metavar="msk|worker|auto", help="The runtime that takes over; auto: by a policy.")
    ],
    worker_hours: Annotated[
        str | None, typer.Option(metavar="HH-HH,...", help="auto: the hours of the workers; Lambda has the others.")
    ] = None,
    time_zone: Annotated[str, typer.Option(metavar="NAME", help="auto: the time zone of the hours.")] = "UTC",
    burst_lag: Annotated[
        int | None, typer.Option(min=1, metavar="RECORDS", help="auto: a lag above which Lambda takes over.")
    ] = None,
    calm_lag: Annotated[
        int | None,
        typer.Option(min=0, metavar="RECORDS", help="auto: a lag below which that ends; default: a tenth."),
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", min=1, help="How long each step may take.")
    ] = 600.0,
    execute: Annotated[  # noqa: FBT002
        bool, typer.Option("--execute", help="Hand it over. Without this, only show what would be done.")
    ] = False,
    as_json: Json = False,  # noqa: FBT002 - an option
) -> None:
    """Hand a pipeline over from Lambda to the workers on EKS, or back.

    Disables one side, waits until the consumer group is empty and the ledger is still, enables the other one, watches
    it progress, and records it for the next release. If it does not progress, everything is undone. After a kill, run
    it again: it goes on from where things are.

    With --to auto, a policy chooses the runtime, by the time of day, by lag, or both: run it on a schedule
    (docs/handover.md). With --json the steps go to standard error.

    Needs the Lambda API and Kubernetes, by the pod's service account or KUBECONFIG.

    Exit code 0: done, or nothing to do, 1: refused or undone.

    Example: tandem handover logins --to worker --stage prod --execute
    """
    from functions.core.handover_ports import Runtime  # noqa: PLC0415
    from functions.operate.handover.policy import policy  # noqa: PLC0415
    from functions.operate.handover.run import HandoverRequest, chosen, run  # noqa: PLC0415

    if to not in {*Runtime, AUTO}:
        raise typer.BadParameter(f"--to: expected msk, worker or auto, got {to!r}")
    if to != AUTO and (worker_hours, burst_lag, calm_lag) != (None, None, None):
        raise typer.BadParameter("--worker-hours, --burst-lag and --calm-lag are for --to auto")
    rules = policy(worker_hours, time_zone, burst_lag, calm_lag) if to == AUTO else None
    context = connect(pipeline_name)
    with operator_terminal(to_error=as_json) as terminal:
        target = Runtime(to) if rules is None else chosen(context, rules, terminal)
        result = run(context, HandoverRequest(target, timeout, execute), terminal)
    if as_json:
        typer.echo(json.dumps(result.as_dict(), indent=1))
