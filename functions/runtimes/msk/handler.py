"""The Lambda handler: settle the event's records, then return, or raise, so that Lambda delivers the batch again.

There are no partial batch responses, because their order on Kafka is undocumented, and a settled slice costs one read
when it is delivered again. Clients and threads live as long as the execution environment.
"""

import os
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.utilities.typing import LambdaContext

from functions import settings
from functions.adapters import emf
from functions.adapters.log import logger
from functions.bootstrap import App, tune_collector
from functions.core import metrics
from functions.core.errors import Fatal, Retry, Stop
from functions.core.metrics import RECORD_AGE
from functions.runtimes.msk.batch import Batch, Hung
from functions.runtimes.msk.event import parse
from functions.telemetry import Attempt, Sample, age, report


@dataclass(frozen=True, slots=True)
class Runtime:
    """The state that an execution environment keeps between invocations."""

    dimensions: Mapping[str, str]  # of every metric
    batch: Batch
    log: Logger
    tracer: Tracer
    time_margin: float  # seconds of the timeout reserved to raise an error in good order
    retire: Callable[[], object]  # ends this process

    def handle(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:
        """Settle a batch and return its number of records. Raises the worst failure after all slices have ended.

        An environment with a thread that hangs is ended instead: the next one would find it occupied, and in the ledger
        only the end of a process makes a record suspect.
        """
        self.log.append_keys(request_id=context.aws_request_id)
        deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - self.time_margin
        with self.tracer.provider.in_subsegment("settle"):
            slices, malformed = parse(event)
            attempts = self.batch.run(slices, deadline)
        self._report(attempts)
        failures = [*malformed, *(attempt.error for attempt in attempts if attempt.error is not None)]
        if any(isinstance(failure, Hung) for failure in failures):
            self.log.error("the environment is retired: the pipeline's code hangs in it")
            self.retire()
        if failures:
            raise max(failures, key=_severity)
        return {"records": sum(len(attempt.slice_) for attempt in attempts)}

    def _report(self, attempts: Sequence[Attempt]) -> None:
        """Log every attempt and write all metrics. Lambda delivers a failed batch again, so its records' age grows."""
        samples: list[Sample] = []
        for attempt in attempts:
            report(attempt, samples.append, self.log)
            oldest = age(next(iter(attempt.slice_.timestamps), -1), attempt.ended)
            if oldest is not None:
                samples.append(Sample(RECORD_AGE, oldest))
        emf.flush(self.dimensions, samples)


def _severity(failure: Exception) -> int:
    """A Retry resolves itself, a Stop needs an operator, any other error is a bug, a Fatal needs new clients."""
    match failure:
        case Retry():
            return 0
        case Stop():
            return 1
        case Fatal():
            return 3
        case _:
            return 2


@cache
def _runtime() -> Runtime:
    """Build the runtime in the first invocation, so that importing this module builds nothing.

    SnapStart starts every environment from one memory snapshot, including the state of `random`. Without a new seed,
    all environments would retry after the same delays.
    """
    random.seed()
    return build(App(settings.read()))


def build(app: App) -> Runtime:
    """Build the runtime of an execution environment around an app."""
    chosen = app.settings
    tune_collector()
    threads = ThreadPoolExecutor(chosen.settle_threads, thread_name_prefix="settle")
    batch = Batch(app.settler.begin, threads)
    dimensions = metrics.dimensions(chosen.stage, chosen.pipeline, metrics.MSK)
    tracer = Tracer(service=chosen.pipeline)
    return Runtime(dimensions, batch, logger(chosen), tracer, chosen.time_margin_seconds, _end_process)


def _end_process() -> None:
    """End the process now; Lambda starts another one. The interpreter's own exit would wait for the thread."""
    sys.stdout.flush()
    os._exit(1)


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:
    """The function's entry point."""
    try:
        return _runtime().handle(event, context)
    except Fatal:
        _runtime.cache_clear()  # the next invocation builds new clients
        raise
