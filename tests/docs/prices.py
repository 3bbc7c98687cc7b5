"""AWS's public list prices for us-east-1 in US dollars: functions/operate/plan/prices/us-east-1.json."""

from collections.abc import Mapping
from typing import Final

from functions.operate.plan.prices import region_prices

PRICES: Final[Mapping[str, float]] = region_prices("us-east-1").prices
