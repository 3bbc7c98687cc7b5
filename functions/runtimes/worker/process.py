"""The worker process: wiring, signals, exit code.

Exit codes: 0 drained, 1 broken (a fatal client error, a bug, no progress); 2, misconfigured, is the command line's.
"""

import os
import signal
import sys
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from threading import Event
from typing import Final, NoReturn

from aws_lambda_powertools import Logger
from confluent_kafka import Consumer

from functions.adapters.cloudwatch import CloudWatchMeter
from functions.adapters.log import logger
from functions.adapters.prometheus import PrometheusMeter
from functions.bootstrap import App, tune_collector
from functions.core import metrics
from functions.core.errors import InvalidSetting, Misconfigured
from functions.runtimes.worker.assignment import Assignment
from functions.runtimes.worker.client import consumer_settings
from functions.runtimes.worker.fleet import Fleet
from functions.runtimes.worker.health import LOOP_SECONDS, Page, Probes, State
from functions.runtimes.worker.lag import Lag
from functions.runtimes.worker.worker import Worker
from functions.settings import Settings
from functions.telemetry import Meter, Meters

LEAVE_SECONDS: Final = 5.0  # beyond the drain: to commit and to leave the group


def run(settings: Settings) -> NoReturn:
    """Run until SIGTERM or SIGINT, then end the process.

    Not by the interpreter's own end: that waits for every attempt in flight, and one that has hung would hang the exit.
    """
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    log, code = logger(settings), 0
    try:
        serve(settings, stopping, log)
    except Misconfigured:
        raise
    except Exception:
        log.exception("worker is broken")
        code = 1
    sys.stdout.flush()
    os._exit(code)


def serve(settings: Settings, stopping: Event, log: Logger) -> None:
    """Wire everything, turn until `stopping` is set, drain within the drain time."""
    app = App(settings)
    tune_collector()
    threads = ThreadPoolExecutor(settings.settle_threads, thread_name_prefix="settle")
    scraped, put = PrometheusMeter(app.pipeline.name), putting(settings, app, log)
    worker = connect(settings, app, threads, log, Meters((scraped, put)) if put else scraped)
    probes = listen(settings, worker.state, scraped.page)
    log.info("worker is up", extra={"http_port": probes.port})
    try:
        worker.run(stopping, settings.stall_seconds)
        log.info("worker drains", extra={"in_flight": worker.fleet.in_flight})
        worker.close()
    finally:
        probes.close()
        threads.shutdown(wait=False, cancel_futures=True)
        if put:
            put.close()


def putting(settings: Settings, app: App, log: Logger) -> CloudWatchMeter | None:
    """What puts metrics to CloudWatch, if the stage wants that."""
    if settings.cloudwatch_seconds is None:
        return None
    dimensions = metrics.dimensions(settings.stage, settings.pipeline, metrics.WORKER)
    meter = CloudWatchMeter(app.aws.cloudwatch, dimensions, log)
    meter.start(settings.cloudwatch_seconds)
    return meter


def connect(settings: Settings, app: App, threads: Executor, log: Logger, meter: Meter) -> Worker:
    """A worker that settles on `threads`, and whose consumer has joined the group."""
    fleet = Fleet(app.settler.settle, threads, time.time)
    lag = Lag(fleet, meter, log)
    worker = Worker(
        fleet=fleet,
        lag=lag,
        meter=meter,
        state=State(time.monotonic(), LOOP_SECONDS + settings.drain_seconds),
        log=log,
        bytes_in_flight=settings.bytes_in_flight,
        leave_seconds=settings.drain_seconds + LEAVE_SECONDS,
    )
    group = Assignment(app.pipeline, app.ledger, fleet, settings.drain_seconds, worker.reap, worker.changed)
    told = {"stats_cb": lambda statistics: lag.learn(statistics, worker.consumer)}
    worker.consumer = Consumer(consumer_settings(settings, app.kafka) | told)
    worker.consumer.subscribe(
        [app.pipeline.topic], on_assign=group.assigned, on_revoke=group.revoked, on_lost=group.lost
    )
    return worker


def listen(settings: Settings, state: State, page: Page) -> Probes:
    """The probes of this worker. Raises InvalidSetting when nobody can listen there."""
    at = (settings.http_host, settings.http_port)
    try:
        return Probes(at, lambda: state.unhealthy(time.monotonic(), settings.stall_seconds), state.unready, page)
    except OSError as error:
        raise InvalidSetting(f"TANDEM_HTTP_HOST and TANDEM_HTTP_PORT: got {at}: {error.strerror}") from error
