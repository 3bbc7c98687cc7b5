"""The logins pipeline on stores in memory, new ones for each slice."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from functions.adapters.memory import memory_stores
from functions.core.flood import FloodLimit
from functions.core.pipeline import Limits
from functions.core.ports import Stores
from functions.core.settle import Settled, Settler
from functions.core.slice import Slice
from functions.pipelines.logins import PIPELINE

KEY: Final = b"0123456789abcdef"
PATIENT: Final = replace(PIPELINE, limits=Limits(flood=FloodLimit(1.0)))  # most records of a fuzzer are rejects
NOW: Final = datetime(2026, 11, 23, tzinfo=UTC)


def stores() -> Stores:
    """Return empty stores in memory."""
    return memory_stores(PATIENT, lambda: NOW)


def settle(slice_: Slice) -> Settled:
    """Settle a slice into empty stores. AssertionError unless each record counts once."""
    settled = Settler(PATIENT, stores(), KEY).settle(slice_)
    assert settled.next == slice_.end + 1
    assert settled.records == len(slice_)
    assert settled.rows + sum(settled.rejected.values()) + settled.dropped == len(slice_)
    return settled
