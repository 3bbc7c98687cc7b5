"""Converts canonical values (see core.column_types) to DynamoDB attributes."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from functions.core.store_limits import is_number


def attribute(value: Any) -> dict[str, Any]:  # noqa: ANN401, PLR0911 - any canonical value, one line per type
    """Convert text, dates and times to S (ISO 8601, UTC, microseconds), numbers to N, exactly, and None to NULL."""
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
    """Convert to the shortest digits that read back as the same float; to text if DynamoDB has no such number."""
    return {"N" if is_number(value) else "S": repr(value)}
