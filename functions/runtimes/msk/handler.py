"""The Lambda handler: settle what the event brings, then return; or raise, and the whole batch comes again.

There are no partial batch responses: their order on Kafka is undocumented, and what had settled costs one read when the
batch comes again. Clients and threads live as long as the execution environment.
"""

import random
import time
from collections.abc import Mapping
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
from functions.core.settle import Settled
from functions.runtimes.msk.batch import Batch, Outcome
from functions.runtimes.msk.event import slices
from functions.telemetry import fields, settled_fields


@dataclass(frozen=True, slots=True)
class Runtime:
    """What an execution environment keeps between invocations."""

    dimensions: Mapping[str, str]  # of every metric
    batch: Batch
    log: Logger
    tracer: Tracer
    time_margin: float  # seconds kept back to raise in good order

    def handle(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:
        """Settle a batch. Raises the worst of its failures once every other slice has ended."""
        self.log.append_keys(request_id=context.aws_request_id)
        deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000 - self.time_margin
        with self.tracer.provider.in_subsegment("settle"):
            outcomes = self.batch.run(list(slices(event)), deadline)
        emf.flush(self.dimensions, [sample for outcome in outcomes for sample in outcome.samples])
        failures = [failure for outcome in outcomes if (failure := self._tell(outcome))]
        if failures:
            raise max(failures, key=_gravity)
        return {"records": sum(len(outcome.part) for outcome in outcomes)}

    def _tell(self, outcome: Outcome) -> BaseException | None:
        told = fields(outcome.part)
        if isinstance(outcome.result, Settled):
            say = self.log.warning if outcome.result.gaps else self.log.info
            say("settled", extra=told | settled_fields(outcome.result, outcome.seconds))
            return None
        self.log.error("not settled", extra=told | {"error": str(outcome.result)}, exc_info=outcome.result)
        return outcome.result


def _gravity(failure: BaseException) -> int:
    """Retry mends itself, Stop takes a person, Fatal takes new clients, and all else is a bug."""
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
    """Built by the first invocation, so that importing this module builds nothing.

    SnapStart starts every environment from one memory, random's state included: without a seed of its own each would
    wait as long as all the others before it tries again.
    """
    random.seed()
    chosen = settings.read()
    app = App(chosen)
    tune_collector()
    threads = ThreadPoolExecutor(chosen.settle_threads, thread_name_prefix="settle")
    batch = Batch(app.settler.settle, threads)
    dimensions = metrics.dimensions(chosen.stage, chosen.pipeline, metrics.MSK)
    return Runtime(dimensions, batch, logger(chosen), Tracer(service=chosen.pipeline), chosen.time_margin_seconds)


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:
    """The function's entry point."""
    try:
        return _runtime().handle(event, context)
    except Fatal:
        _runtime.cache_clear()  # the next invocation builds new clients
        raise
