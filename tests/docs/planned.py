"""The plan that docs/plan.md shows: its output, and its picture."""

from functions.operate.plan.measured import measured_costs
from functions.operate.plan.model import CostModel, PipelineShape
from functions.operate.plan.picture import picture
from functions.operate.plan.plan import Plan, plan
from functions.operate.plan.prices import region_prices
from functions.operate.plan.profile import flat
from functions.operate.plan.text import plan_text
from functions.pipelines.logins import PIPELINE

COLUMNS = 80


def example() -> Plan:
    """`tandem plan logins --rate 0.5 --peak 20000 --peak-hours 18-22 --latency 10`."""
    shape = PipelineShape.of(PIPELINE)
    return plan(CostModel(shape, measured_costs(), region_prices("us-east-1")), flat(0.5, 20_000, "18-22"), 10)


def plan_output() -> str:
    """The output, as a block of a page."""
    return f"```\n{plan_text(example(), COLUMNS)}\n```"


def plan_picture() -> str:
    """The picture."""
    return picture(example())
