"""The list prices of a region, in US dollars, from a dated file: prices/<region>.json, or one's own."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Final

from functions.core.errors import Misconfigured

FOLDER: Final = Path(__file__).with_name("prices")
NODE: Final = "EKS Auto Mode node (m7g.large and 12 %), hour"
CONTROL_PLANE: Final = "EKS control plane, hour"
GB_SECOND: Final = "Lambda arm64, GB-second"
INVOCATIONS: Final = "Lambda, million invocations"
POLLER_UNIT: Final = "Lambda event poller unit, hour"
WRITES: Final = "DynamoDB on demand, million writes of 1 KB"
PUTS: Final = "S3 put, million"
NEEDED: Final = (NODE, CONTROL_PLANE, GB_SECOND, INVOCATIONS, POLLER_UNIT, WRITES, PUTS)


@dataclass(frozen=True, slots=True)
class RegionPrices:
    """The prices of a region, as of `date` (YYYY-MM), by what they are for."""

    region: str
    date: str
    source: str
    prices: Mapping[str, float]


def region_prices(region: str) -> RegionPrices:
    """Return the prices that come with Tandem. Misconfigured, with the way out, for a region without a file."""
    file = FOLDER / f"{region}.json"
    if not file.exists():
        known = ", ".join(sorted(path.stem for path in FOLDER.glob("*.json")))
        raise Misconfigured(
            f"--region: no prices of {region!r}, expected {known}: copy {FOLDER}/{known.split(', ')[0]}.json, fill in "
            "your region's, and pass it by --prices"
        )
    return read_prices(file)


def read_prices(file: Path) -> RegionPrices:
    """Return the prices of a file. Misconfigured names what is missing or no price."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        found = RegionPrices(str(values["region"]), str(values["date"]), str(values["source"]), dict(values["prices"]))
    except OSError as error:
        raise Misconfigured(f"--prices {file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise Misconfigured(f"--prices {file}: expected region, date, source and prices as JSON: {error!r}") from None
    for name in NEEDED:
        price = found.prices.get(name)
        if not is_price(price):
            raise Misconfigured(f"--prices {file}: expected a price of {name!r}, got {price!r}")
    return found


def is_price(value: object) -> bool:
    """Return whether a value is a finite number that is not negative."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < inf
