"""The plan of a pipeline: a month on each runtime, and in a mix by time of day; the cheapest that is fast enough."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, log10
from typing import Any, Final

from functions.core.handover_ports import Runtime
from functions.operate.hours import HOURS
from functions.operate.plan.model import CostModel, HourCost
from functions.operate.plan.prices import CONTROL_PLANE
from functions.operate.plan.profile import TrafficProfile

MONTH_HOURS: Final = 730
MIX: Final = "mix"
MIN_RATE, MAX_RATE = 0.1, 1e7  # records/s between which a crossover is searched
STEPS: Final = 400


@dataclass(frozen=True, slots=True)
class Option:
    """One way to run the pipeline. `dollars` a month; `hours` has the runtime of each hour of the day, in UTC."""

    name: str
    hours: tuple[Runtime, ...]
    costs: tuple[HourCost, ...]
    dollars: float
    latency: float
    headroom: float
    """Capacity / rate, in the hour in which it is least; infinite without traffic."""

    def parts(self) -> dict[str, float]:
        """Return the dollars a month by part."""
        names = dict.fromkeys(name for cost in self.costs for name in cost.parts)
        month = MONTH_HOURS / HOURS
        return {name: month * sum(cost.parts.get(name, 0.0) for cost in self.costs) for name in names}


@dataclass(frozen=True, slots=True)
class Plan:
    """The options, the cheapest one whose latency is at most the wanted one, and where the runtimes cost the same."""

    model: CostModel
    profile: TrafficProfile
    options: tuple[Option, ...]
    wanted_latency: float
    crossover: float | None
    """Records/s above which the workers are cheaper; None if one runtime always is."""

    @property
    def best(self) -> Option | None:
        """The cheapest option that is fast enough and carries the traffic; None if none is."""
        fit = [each for each in self.options if each.latency <= self.wanted_latency and each.headroom >= 1]
        return min(fit, key=lambda option: option.dollars, default=None)


def plan(model: CostModel, profile: TrafficProfile, wanted_latency: float = inf, *, has_cluster: bool = True) -> Plan:
    """Return the plan. Without `has_cluster`, the workers also pay for EKS's control plane, all month."""
    cluster = 0.0 if has_cluster else model.prices.prices[CONTROL_PLANE] * MONTH_HOURS
    function = _option(Runtime.MSK.value, model, profile, lambda _: Runtime.MSK, 0.0)
    worker = _option(Runtime.WORKER.value, model, profile, lambda _: Runtime.WORKER, cluster)
    mix = _option(MIX, model, profile, lambda rate: _cheaper(model, rate, wanted_latency), cluster)
    # A mix of one runtime is that runtime, and needs no cluster if that is Lambda.
    options = (function, worker, mix) if len(set(mix.hours)) > 1 else (function, worker)
    return Plan(model, profile, options, wanted_latency, crossover(model))


def _cheaper(model: CostModel, rate: float, wanted_latency: float) -> Runtime:
    """Return the cheaper runtime for an hour among those that are fast enough and carry it, else among all."""
    costs = {Runtime.MSK: model.function(rate), Runtime.WORKER: model.worker(rate)}
    fit = {name: cost for name, cost in costs.items() if cost.latency <= wanted_latency and cost.capacity >= rate}
    return min(fit or costs, key=lambda name: costs[name].dollars)


def _option(
    name: str, model: CostModel, profile: TrafficProfile, choose: Callable[[float], Runtime], extra: float
) -> Option:
    hours = tuple(map(choose, profile.rates))
    costs = tuple(
        (model.function if runtime is Runtime.MSK else model.worker)(rate)
        for runtime, rate in zip(hours, profile.rates, strict=True)
    )
    dollars = extra + MONTH_HOURS / HOURS * sum(cost.dollars for cost in costs)
    busy = [cost.capacity / rate for cost, rate in zip(costs, profile.rates, strict=True) if rate]
    return Option(name, hours, costs, dollars, max(cost.latency for cost in costs), min(busy, default=inf))


def crossover(model: CostModel) -> float | None:
    """Return the lowest rate from which on the workers are cheaper than Lambda, at a constant rate."""
    cheaper = [rate for rate in curve_rates() if model.worker(rate).dollars < model.function(rate).dollars]
    if not cheaper or cheaper[0] <= MIN_RATE:
        return None
    return cheaper[0]


def curve_rates(steps: int = STEPS) -> Sequence[float]:
    """Return rates from MIN_RATE to MAX_RATE, evenly spaced by their logarithm."""
    begin, end = log10(MIN_RATE), log10(MAX_RATE)
    return [10 ** (begin + (end - begin) * number / steps) for number in range(steps + 1)]


def as_dict(found: Plan) -> dict[str, Any]:
    """Return a plan as JSON values."""
    best = found.best
    return {
        "region": found.model.prices.region,
        "prices": found.model.prices.date,
        "rates": list(found.profile.rates),
        "source": found.profile.source,
        "wanted_latency_seconds": None if found.wanted_latency == inf else found.wanted_latency,
        "best": best and best.name,
        "crossover_records_per_second": found.crossover,
        "options": [
            {
                "name": each.name, "dollars_per_month": each.dollars, "parts": each.parts(),
                "latency_seconds": each.latency, "headroom": None if each.headroom == inf else each.headroom,
                "hours": [runtime.value for runtime in each.hours],
            }
            for each in found.options
        ],
    }  # fmt: skip
