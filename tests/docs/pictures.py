"""The pictures of docs/images that are made from the code, by file."""

from collections.abc import Callable, Mapping
from typing import Final

from tests.docs import benchmark, planned, terminal

PICTURES: Final[Mapping[str, Callable[[], str]]] = {
    "benchmark.svg": benchmark.picture,
    "plan.svg": planned.plan_picture,
    "status.svg": terminal.status_picture,
    "up.svg": terminal.up_picture,
}
