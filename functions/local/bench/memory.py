"""The app on in-memory stores: what is measured then is Tandem, and not an emulator."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from functions.adapters.memory import MemoryDeadLetters, MemoryLake, MemoryLedger, MemoryTable, MemoryTopic
from functions.bootstrap import App, today
from functions.core.ports import Stores
from functions.core.settle import Settler
from functions.settings import Settings

KEY = b"a key for the benchmark"


@dataclass(frozen=True)
class MemoryApp(App):
    """Every effect of the pipeline happens, in memory."""

    @cached_property
    def ledger(self) -> Any:  # noqa: ANN401 - another ledger than the one it stands for
        """Empty at first."""
        return MemoryLedger()

    @cached_property
    def settler(self) -> Settler:
        """On stores that remember, as the real ones do."""
        tables = {sink.name: MemoryTable() for sink in self.pipeline.tables}
        topics = {sink.name: MemoryTopic() for sink in self.pipeline.topics}
        return Settler(
            self.pipeline, Stores(self.ledger, MemoryLake(), tables, topics, MemoryDeadLetters(), today), KEY
        )


def settings(bootstrap: str, stage: str) -> Settings:
    """A worker's settings; the buckets and the key are never asked for."""
    return Settings(
        stage=stage,
        pipeline="logins",
        lake_bucket="unused",
        dead_letter_bucket="unused",
        mask_key_from="file:/unused",
        bootstrap_servers=bootstrap,
        kafka_auth="plaintext",
        log_level="WARNING",
    )
