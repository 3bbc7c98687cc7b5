"""Waiting for a condition, for a bounded time, and reporting the state if it never holds."""

import time
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 240.0  # seconds: far more than anything needs on an idle machine, so that a busy one fails nothing
POLL_SECONDS: Final = 0.02


def eventually(true: Callable[[], object], state: Callable[[], object] = str, within: float = PATIENCE) -> None:
    """Return once `true()` holds; fail with `state()` if it does not within so many seconds."""
    end = time.monotonic() + within
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"not within {within:g} s:\n{state()}")
        time.sleep(POLL_SECONDS)
