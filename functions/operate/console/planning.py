"""The plan of a page: of the traffic that its form has, or of that which the stage measured."""

from collections.abc import Mapping
from math import inf, isfinite
from typing import Final

from functions.core.errors import Misconfigured
from functions.operate.context import OperatorContext
from functions.operate.plan.measure import DAYS, measured_profile
from functions.operate.plan.measured import measured_costs
from functions.operate.plan.model import CostModel, PipelineShape
from functions.operate.plan.plan import Plan, plan
from functions.operate.plan.prices import region_prices
from functions.operate.plan.profile import TrafficProfile, flat

REGION: Final = "us-east-1"  # of the only price file


def plan_of(context: OperatorContext, fields: Mapping[str, str]) -> Plan:
    """Return the plan for the fields `rate`, `peak`, `hours`, `latency`. Misconfigured if one is wrong.

    Without a rate, the traffic is the stage's own.
    """
    rate, peak, latency = (_number(name, fields.get(name)) for name in ("rate", "peak", "latency"))
    traffic = _measured(context) if rate is None and peak is None else flat(rate or 0.0, peak, fields.get("hours"))
    model = CostModel(PipelineShape.of(context.pipeline), measured_costs(), region_prices(REGION))
    return plan(model, traffic, inf if latency is None else latency, has_cluster=True)


def _measured(context: OperatorContext) -> TrafficProfile:
    try:
        return measured_profile(context.traffic, context.now())
    except Misconfigured:  # it names options of the command line
        raise Misconfigured(f"give a rate: the metrics of this stage show no records in the last {DAYS} days") from None


def _number(name: str, text: str | None) -> float | None:
    if text is None:
        return None
    try:
        number = float(text)
    except ValueError:
        number = inf
    if not isfinite(number) or number < 0:
        raise Misconfigured(f"{name}: got {text!r}, expected a number, 0 or more")
    return number
