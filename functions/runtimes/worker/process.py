"""The worker process: wiring, signals, exit code.

Exit codes: 0 drained, 1 broken (a fatal client error, a bug, no progress). The command line exits with 2 if the
worker is misconfigured.
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
from confluent_kafka.admin import AdminClient

from functions.adapters.cloudwatch import CloudWatchMeter
from functions.adapters.log import logger
from functions.adapters.prometheus import PrometheusMeter
from functions.bootstrap import App, tune_collector
from functions.core import metrics, names
from functions.core.errors import InvalidSetting, Misconfigured
from functions.runtimes.worker.assignment import Assignment
from functions.runtimes.worker.client import consumer_settings
from functions.runtimes.worker.fleet import Fleet
from functions.runtimes.worker.health import LOOP_SECONDS, State
from functions.runtimes.worker.lag import Lag
from functions.runtimes.worker.logs import Logs
from functions.runtimes.worker.opening import Opener
from functions.runtimes.worker.probes import Page, Probes
from functions.runtimes.worker.start import Beginning
from functions.runtimes.worker.worker import Worker
from functions.settings import Settings
from functions.telemetry import Meter, Meters

LEAVE_SECONDS: Final = 5.0  # after the drain, to commit and to leave the group
ASKING_THREADS: Final = 8  # a partition without a leader occupies one for some seconds at a time
ATTEMPT_SHARE: Final = 0.25  # of the stall limit: how long an attempt should take at most


def run(settings: Settings) -> NoReturn:
    """Run until SIGTERM or SIGINT, then end the process with `os._exit`.

    A normal interpreter exit waits for every attempt in flight, so an attempt that hangs would block it.
    """
    stopping = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    log, code = logger(settings), 0
    try:
        serve(App(settings), stopping, log)
    except Misconfigured:
        raise
    except BaseException:
        log.exception("worker is broken")
        code = 1
    sys.stdout.flush()
    os._exit(code)


def serve(app: App, stopping: Event, log: Logger) -> None:
    """Connect a worker, run it until `stopping` is set, then drain it within the drain time."""
    settings = app.settings
    tune_collector()
    threads = ThreadPoolExecutor(settings.settle_threads, thread_name_prefix="settle")
    asking = ThreadPoolExecutor(ASKING_THREADS, thread_name_prefix="ask")
    scraped, put = PrometheusMeter(app.pipeline.name), cloudwatch_meter(app, log)
    worker = connect(app, threads, asking, log, Meters((scraped, put)) if put else scraped)
    probes = listen(settings, worker.state, scraped.page)
    log.info("worker started", extra={"http_port": probes.port})
    try:
        worker.run(stopping, settings.stall_seconds)
        log.info("worker is draining", extra={"in_flight": worker.fleet.in_flight})
        worker.close()
    finally:
        worker.abandon()
        probes.close()
        for pool in (threads, asking):
            pool.shutdown(wait=False, cancel_futures=True)
        if put:
            put.close()


def cloudwatch_meter(app: App, log: Logger) -> CloudWatchMeter | None:
    """Start the meter that puts metrics to CloudWatch; None if the stage does not use it."""
    settings = app.settings
    if settings.cloudwatch_seconds is None:
        return None
    dimensions = metrics.dimensions(settings.stage, settings.pipeline, metrics.WORKER)
    meter = CloudWatchMeter(app.aws.cloudwatch, dimensions, log)
    meter.start(settings.cloudwatch_seconds)
    return meter


def connect(app: App, threads: Executor, asking: Executor, log: Logger, meter: Meter) -> Worker:
    """Return a worker whose consumer has subscribed to the topic.

    It settles on `threads`, and asks brokers and ledger about partitions on those of `asking`.
    """
    settings, now = app.settings, time.monotonic()
    quiet = app.kafka | {"log_level": 0}  # the client that reads logs what is wrong with the brokers
    member = quiet | {"group.id": names.consumer_group(settings.stage, settings.pipeline), "enable.auto.commit": False}
    logs = Logs(app.pipeline.topic, lambda: AdminClient(quiet), lambda: Consumer(member), time.monotonic)
    fleet = Fleet(app.settler.begin, threads, time.time)
    worker = Worker(
        fleet=fleet,
        lag=Lag(fleet, meter, log, asking, logs.ends),
        meter=meter,
        state=State(now, LOOP_SECONDS + settings.drain_seconds, brokers_seen=now, was_ready=now),
        log=log,
        bytes_in_flight=settings.bytes_in_flight,
        leave_seconds=settings.drain_seconds + LEAVE_SECONDS,
    )
    attempt_seconds = settings.stall_seconds * ATTEMPT_SHARE
    assignment = Assignment(app.pipeline, fleet, settings.drain_seconds, attempt_seconds, worker.settle, worker.changed)
    beginning = Beginning(app.pipeline, app.ledger, logs, app.settler.stores.now)
    worker.opener = Opener(beginning, asking, fleet, log)
    worker.consumer = Consumer(consumer_settings(settings, app.kafka) | {"stats_cb": worker.learn})
    worker.consumer.subscribe(
        [app.pipeline.topic], on_assign=assignment.assigned, on_revoke=assignment.revoked, on_lost=assignment.lost
    )
    return worker


def listen(settings: Settings, state: State, page: Page) -> Probes:
    """Start the worker's HTTP server. Raises InvalidSetting if its address cannot be used."""
    address = (settings.http_host, settings.http_port)
    try:
        return Probes(
            address,
            lambda: state.unhealthy(time.monotonic(), settings.stall_seconds),
            lambda: state.unready(time.monotonic()),
            page,
            lambda: state.stopped,
        )
    except OSError as error:
        raise InvalidSetting(f"TANDEM_HTTP_HOST and TANDEM_HTTP_PORT: got {address}: {error.strerror}") from error
