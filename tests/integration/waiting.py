"""Waiting for a condition, in a bounded time, and saying what was there instead."""

import time
from collections.abc import Callable
from typing import Final

PATIENCE: Final = 30.0  # seconds: far more than anything takes, so that a busy machine is no failure
GLANCE: Final = 0.02


def eventually(true: Callable[[], object], state: Callable[[], object] = str, within: float = PATIENCE) -> None:
    """Return once it holds; fail with `state` if it never does."""
    end = time.monotonic() + within
    while not true():
        if time.monotonic() > end:
            raise AssertionError(f"not within {within:g} s:\n{state()}")
        time.sleep(GLANCE)
