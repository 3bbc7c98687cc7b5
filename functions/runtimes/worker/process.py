"""The worker process: wiring, signals, exit code.

Exit codes: 0 drained, 1 broken (a fatal client error, a bug, no progress); 2, misconfigured, is the command line's.
"""

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Final, NoReturn

from aws_lambda_powertools import Logger
from confluent_kafka import Consumer

from functions.adapters.log import logger
from functions.adapters.prometheus import PrometheusMeter
from functions.bootstrap import App, tune_collector
from functions.core.errors import Misconfigured
from functions.runtimes.worker.assignment import Assignment
from functions.runtimes.worker.client import consumer_settings
from functions.runtimes.worker.fleet import Fleet
from functions.runtimes.worker.health import Probes, State
from functions.runtimes.worker.worker import Worker
from functions.settings import Settings
from functions.telemetry import LAG, REBALANCES, Sample

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
    meter = PrometheusMeter(app.pipeline.name)
    state = State(time.monotonic())
    threads = ThreadPoolExecutor(settings.settle_threads, thread_name_prefix="settle")
    fleet = Fleet(app.settler.settle, threads, time.time)
    worker = connect(settings, app, fleet, meter, state, log)
    probes = Probes(
        (settings.http_host, settings.http_port),
        lambda: state.unhealthy(time.monotonic(), settings.stall_seconds),
        state.unready,
        meter.page,
    )
    log.info("worker is up", extra={"http_port": probes.port})
    try:
        worker.run(stopping, settings.stall_seconds)
        log.info("worker drains", extra={"in_flight": fleet.in_flight})
        worker.close()
    finally:
        probes.close()
        threads.shutdown(wait=False, cancel_futures=True)


def connect(settings: Settings, app: App, fleet: Fleet, meter: PrometheusMeter, state: State, log: Logger) -> Worker:
    """A worker whose consumer has joined the group."""
    worker: Worker

    def changed(change: str, partitions: list[int]) -> None:
        log.info("partitions", extra={"change": change, "partitions": partitions})
        meter.record(Sample(REBALANCES, 1, (change,)))
        for partition in partitions if change != "assigned" else ():
            meter.forget(LAG, str(partition))

    assignment = Assignment(app.pipeline, app.ledger, fleet, settings.drain_seconds, lambda: worker.reap(), changed)
    client = consumer_settings(settings, app.kafka) | {"stats_cb": lambda text: worker.statistics(text)}
    worker = Worker(
        Consumer(client),
        fleet,
        settings.bytes_in_flight,
        meter,
        state,
        log,
        lambda: assignment.seen,
        settings.drain_seconds + LEAVE_SECONDS,
    )
    worker.consumer.subscribe(
        [app.pipeline.topic], on_assign=assignment.assigned, on_revoke=assignment.revoked, on_lost=assignment.lost
    )
    return worker
