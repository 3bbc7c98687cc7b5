"""Canonical values (see core.kinds) as DynamoDB attributes."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

SMALLEST: Final = 1e-130  # of a DynamoDB number but for 0
BEYOND: Final = 1e126


def attribute(value: Any) -> dict[str, Any]:  # noqa: ANN401, PLR0911 - any canonical value, one line for each kind
    """Text, dates and times as S, in ISO 8601 and UTC to the microsecond; numbers as N, exactly; None as NULL."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": str(value)}
        case float():
            return _float(value)
        case datetime():
            return {"S": value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")}
        case date():
            return {"S": value.isoformat()}
        case list() | tuple():
            return {"L": [attribute(item) for item in value]}
        case dict():
            return {"M": {name: attribute(item) for name, item in value.items()}}
        case _:
            return {"S": str(value)}


def _float(value: float) -> dict[str, str]:
    """The shortest digits that read back as the same float; text where DynamoDB has no such number."""
    return {"N" if value == 0 or SMALLEST <= abs(value) < BEYOND else "S": repr(value)}
