"""A worker that settles a whole topic, with every effect, into in-memory stores."""

import sys
import time
from dataclasses import dataclass, field, replace
from threading import Event, Thread
from typing import Final
from uuid import uuid4

from functions.adapters.log import logger
from functions.adapters.memory import MemoryLedger
from functions.core.ports import Position, Source
from functions.runtimes.worker.process import serve
from sandbox.bench.memory import BenchApp, memory_app
from sandbox.bench.programs.meter import Meter, given

CHECK_SECONDS: Final = 0.005


@dataclass(slots=True)
class MeasuredLedger(MemoryLedger):
    """Starts the meter when the first partition is assigned, which is when the worker first reads the ledger."""

    meter: Meter = field(default_factory=Meter)

    def read(self, source: Source) -> Position | None:
        """See ports.Ledger."""
        if not self.meter.began:
            self.meter.begin()
        return MemoryLedger.read(self, source)


def main() -> None:
    """Settle all records of a topic."""
    asked = given()
    with memory_app(asked["bootstrap"], f"b{uuid4().hex[:6]}", asked["topic"], asked["models"]) as app:
        ledger, stopping = MeasuredLedger(), Event()
        assert app.stores is not None  # noqa: S101 - `memory_app` gives them
        measured = BenchApp(app.settings, replace(app.stores, ledger=ledger), app.topic, app.models)
        measured.settler  # noqa: B018 - built before the clock starts
        if asked["gate"]:
            _wait_for_the_others()
        watcher = Thread(target=_watch, args=(ledger, asked["records"], stopping), daemon=True)
        watcher.start()
        serve(measured, stopping, logger(app.settings))
        watcher.join()


def _wait_for_the_others() -> None:
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()


def _watch(ledger: MeasuredLedger, records: int, stopping: Event) -> None:
    """Stop the worker when all records are settled."""
    while sum(position.next for position in list(ledger.positions.values())) < records:
        time.sleep(CHECK_SECONDS)
    ledger.meter.end(records)
    stopping.set()


if __name__ == "__main__":
    main()
