"""Both runtimes on the same stores, and all their output: logs, metrics, probes, errors."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from aws_lambda_powertools import Tracer
from confluent_kafka import Message

from functions.adapters.prometheus import PrometheusMeter
from functions.core.backoff import Backoff
from functions.core.metrics import dimensions
from functions.pipelines.logins import PIPELINE
from functions.runtimes.msk.batch import Batch
from functions.runtimes.msk.handler import Runtime
from functions.runtimes.worker.fleet import Fleet
from functions.runtimes.worker.health import State
from functions.runtimes.worker.lag import Lag
from functions.runtimes.worker.lane import Lane
from functions.runtimes.worker.opening import Opener
from functions.runtimes.worker.pace import Pace
from functions.runtimes.worker.worker import Worker
from tests.unit.runtimes.msk.test_handler import Context
from tests.unit.runtimes.worker.consumers import FakeConsumer
from tests.unit.runtimes.worker.threads import SameThread
from tests.unit.runtimes.world import NO_FLOOD, Logs, World, event

Value = bytes | None


class Observed:
    """A pipeline run by a runtime. `output` is all its output except stored data."""

    def __init__(self, process: Callable[[Any], Any] | None = None) -> None:
        limits = replace(NO_FLOOD, slice_records=1)
        self.world = World(replace(PIPELINE, limits=limits, process=process or PIPELINE.process))
        self.logs, self.output = Logs(), ""

    def msk(self, values: Sequence[Value]) -> None:
        with ThreadPoolExecutor(2) as threads:
            batch = Batch(self.world.settler.begin, threads, Backoff(0.01, 0.01))
            runtime = Runtime(
                dimensions("test", "logins", "msk"),
                batch,
                self.logs.log,
                Tracer(service="test", disabled=True),
                time_margin=0.1,
                retire=lambda: None,
            )
            try:
                runtime.handle(event(p0=list(values)), Context(seconds=0.4))  # type: ignore[arg-type]
            except Exception as error:  # noqa: BLE001 - Lambda logs any error
                self.output += repr(error)

    def worker(self, values: Sequence[Value]) -> None:
        consumer, meter, state = FakeConsumer(p0=(0, 50)), PrometheusMeter("logins"), State(0.0)
        lane = Lane("user-login", 0, self.world.pipeline.limits, Pace(1, 75.0), position=0, is_open=True)
        fleet = Fleet(self.world.settler.begin, SameThread(), time.time, Backoff(0.0, 0.0), {0: lane})
        lag = Lag(fleet, meter, self.logs.log, SameThread(), lambda asked: dict.fromkeys(asked, 50))
        worker = Worker(fleet, lag, meter, state, self.logs.log, 10**6, leave_seconds=0.2)
        worker.consumer = consumer  # type: ignore[assignment]
        worker.opener = Opener(lambda _: 0, SameThread(), fleet, self.logs.log)
        worker.record_bytes = 1.0  # so that the first read is not limited
        consumer.batches.append(
            [Message("user-login", 0, offset, None, value, timestamp=(1, 1)) for offset, value in enumerate(values)]
        )
        with suppress(StopIteration):
            for _ in range(len(values) + 2):
                worker.turn()
        self.output += (
            meter.page().decode() + str(state.unready(time.monotonic())) + str(state.unhealthy(time.monotonic(), 1))
        )

    def all_output(self, capsys: pytest.CaptureFixture[str]) -> str:
        captured = capsys.readouterr()
        return self.output + self.logs.text.getvalue() + captured.out + captured.err


@pytest.fixture(params=["msk", "worker"])
def run(request: pytest.FixtureRequest) -> Callable[[Observed, Sequence[Value]], None]:
    """Settle these values as the only records of partition 0."""
    return lambda observed, values: getattr(observed, request.param)(values)
