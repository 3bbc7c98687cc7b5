"""The logins pipeline on stores in memory, made anew for each slice."""

from dataclasses import replace
from datetime import date
from typing import Final

from functions.adapters.memory import MemoryDeadLetters, MemoryLake, MemoryLedger, MemoryTable, MemoryTopic
from functions.core.flood import FloodLimit
from functions.core.pipeline import Limits
from functions.core.ports import Stores
from functions.core.settle import Settled, Settler
from functions.core.slice import Slice
from functions.pipelines.logins import PIPELINE

KEY: Final = b"0123456789abcdef"
PATIENT: Final = replace(PIPELINE, limits=Limits(flood=FloodLimit(1.0)))  # bad records are what this is about
DAY: Final = date(2026, 11, 23)


def stores() -> Stores:
    """Empty ones."""
    return Stores(
        ledger=MemoryLedger(),
        lake=MemoryLake(),
        tables={sink.name: MemoryTable() for sink in PATIENT.tables},
        topics={sink.name: MemoryTopic() for sink in PATIENT.topics},
        dead_letters=MemoryDeadLetters(),
        today=lambda: DAY,
    )


def settle(part: Slice) -> Settled:
    """Into empty stores. AssertionError unless each record counts once."""
    settled = Settler(PATIENT, stores(), KEY).settle(part)
    assert settled.next == part.end + 1
    assert settled.records == len(part)
    assert settled.rows + sum(settled.rejected.values()) + settled.dropped == len(part)
    return settled
