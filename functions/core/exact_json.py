"""JSON whose numbers keep their digits, for event models with a Decimal: pydantic parses them as doubles."""

import json
from typing import Any


class ExactFloat(float):
    """A JSON number with a fraction or an exponent. pydantic makes a Decimal from a float's text: here the original."""

    text: str

    def __new__(cls, text: str) -> "ExactFloat":  # noqa: PYI034 - it is final
        """Parse the text, and keep it."""
        number = super().__new__(cls, text)
        number.text = text
        return number

    def __str__(self) -> str:
        return self.text


def loads(value: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Parse UTF-8 JSON. Raises ValueError or RecursionError."""
    return json.loads(value.decode(), parse_float=ExactFloat)


def mentions_decimal(core_schema: object) -> bool:
    """Return whether a schema of pydantic's core validates a Decimal anywhere."""
    if isinstance(core_schema, dict):
        return core_schema.get("type") == "decimal" or any(map(mentions_decimal, core_schema.values()))
    return isinstance(core_schema, list | tuple) and any(map(mentions_decimal, core_schema))
