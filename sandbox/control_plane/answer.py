"""The answer to an HTTP request, as JSON."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """An answer's status, content and further headers."""

    status: int
    content: Any
    headers: Mapping[str, str] = {}
