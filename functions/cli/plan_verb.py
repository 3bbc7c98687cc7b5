"""The operators' verb `plan`. It imports what it needs when it runs."""

import json
from math import inf
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Annotated

import typer

from functions.cli.operator_verbs import Json
from functions.cli.stage_options import connect
from functions.core.errors import Misconfigured

if TYPE_CHECKING:
    from functions.core.pipeline import AnyPipeline
    from functions.operate.plan.profile import TrafficProfile


def plan(  # noqa: PLR0913, PLR0917 - one for each option
    pipeline_name: Annotated[str, typer.Argument(metavar="PIPELINE", help="The pipeline's name.")],
    rate: Annotated[float | None, typer.Option(metavar="RECORDS/S", help="A constant rate.")] = None,
    peak: Annotated[float | None, typer.Option(metavar="RECORDS/S", help="The rate in the peak hours.")] = None,
    peak_hours: Annotated[str | None, typer.Option(metavar="HH-HH", help="The peak hours, in UTC.")] = None,
    profile: Annotated[
        Path | None, typer.Option(metavar="FILE", help="24 rates: a JSON list, or CSV lines of hour,rate.")
    ] = None,
    latency: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="How late effects may be; default: any.")
    ] = None,
    record_bytes: Annotated[int, typer.Option("--bytes", min=1, help="The size of a record.")] = 200,
    keys: Annotated[float, typer.Option(min=0, max=1, help="Distinct keys of a slice / its records.")] = 0.1,
    rejects: Annotated[float, typer.Option(min=0, max=1, help="The share of rejected records.")] = 0.0,
    min_pods: Annotated[int, typer.Option(min=1, help="The least number of workers.")] = 3,
    max_pods: Annotated[int, typer.Option(min=1, help="The greatest number of workers.")] = 24,
    window: Annotated[float, typer.Option(min=0, metavar="SECONDS", help="Lambda's batching window.")] = 1.0,
    memory: Annotated[int, typer.Option(min=256, metavar="MIB", help="Lambda's memory.")] = 1769,
    provisioned: Annotated[bool, typer.Option("--provisioned", help="The mapping has provisioned pollers.")] = False,  # noqa: FBT002
    new_cluster: Annotated[  # noqa: FBT002
        bool, typer.Option("--new-cluster", help="The workers also pay for EKS's control plane.")
    ] = False,
    region: Annotated[str, typer.Option(metavar="NAME", help="The region of the prices.")] = "us-east-1",
    prices: Annotated[Path | None, typer.Option(metavar="FILE", help="Prices of your own, instead.")] = None,
    svg: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the crossover as a picture.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show each part of the costs.")] = False,  # noqa: FBT002
    as_json: Json = False,  # noqa: FBT002
) -> None:
    """Show what a pipeline costs a month on Lambda, on EKS, and in a mix by time of day.

    The traffic is a constant rate with or without a peak, a profile of 24 hours, or with --stage alone the mean of the
    last 14 days, from CloudWatch. Costs for a record come from the benchmark, prices from a dated file. Nothing is
    changed.

    Exit code 0: there is a way to run it, 2: wrong options, 3: none is fast enough or carries the traffic.

    Example: tandem plan logins --rate 200 --peak 20000 --peak-hours 18-22 --latency 10
    """
    from functions import registry  # noqa: PLC0415
    from functions.cli.output_file import line_output  # noqa: PLC0415
    from functions.operate.plan import plan as planning  # noqa: PLC0415
    from functions.operate.plan.measured import measured_costs  # noqa: PLC0415
    from functions.operate.plan.model import CostModel, PipelineShape  # noqa: PLC0415
    from functions.operate.plan.picture import picture  # noqa: PLC0415
    from functions.operate.plan.prices import read_prices, region_prices  # noqa: PLC0415
    from functions.operate.plan.text import explanation, plan_text  # noqa: PLC0415

    pipeline = registry.load(pipeline_name)
    shape = PipelineShape.of(
        pipeline, record_bytes=record_bytes, keys=keys, rejects=rejects, window_seconds=window, memory_mib=memory,
        has_poller_units=provisioned, min_pods=min_pods, max_pods=max_pods,
    )  # fmt: skip
    model = CostModel(shape, measured_costs(), read_prices(prices) if prices else region_prices(region))
    traffic = _traffic(pipeline, rate, peak, peak_hours, profile)
    found = planning.plan(model, traffic, inf if latency is None else latency, has_cluster=not new_cluster)
    if svg is not None:
        with line_output(svg, "--svg") as write:
            write(picture(found).rstrip())
    if as_json:
        typer.echo(json.dumps(planning.as_dict(found), indent=1))
    else:
        typer.echo(plan_text(found, get_terminal_size().columns))
        if explain:
            typer.echo("\n" + explanation(found))
    if found.best is None:
        raise typer.Exit(3)


def _traffic(
    pipeline: "AnyPipeline", rate: float | None, peak: float | None, peak_hours: str | None, profile: Path | None
) -> "TrafficProfile":
    from functions.operate.plan import profile as profiles  # noqa: PLC0415
    from functions.operate.plan.measure import measured_profile  # noqa: PLC0415

    if profile is not None:
        if rate is not None or peak is not None:
            raise Misconfigured("--profile, --rate: expected one of them, got both")
        return profiles.read_profile(profile)
    if rate is not None or peak is not None:
        return profiles.flat(rate or 0.0, peak, peak_hours)
    context = connect(pipeline.name)
    return measured_profile(context.traffic, context.now())
