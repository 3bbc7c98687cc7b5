"""A whole run: load and faults together, then the rest without faults, then the verification."""

from collections.abc import Callable
from contextlib import ExitStack
from random import Random
from typing import Any, Final

from sandbox.demo.listen import Announcements
from tests.chaos import log
from tests.chaos.context import FaultContext
from tests.chaos.faults import FaultKind
from tests.chaos.load import Load
from tests.chaos.monitor import ChaosMonitor, Stuck
from tests.chaos.options import ChaosOptions
from tests.chaos.report import FaultReport, report
from tests.chaos.runtimes import WORKERS, Runtimes
from tests.chaos.schedule import schedule
from tests.chaos.stack import set_up
from tests.chaos.verdict import verdict

DRAIN_SECONDS: Final = 900.0
ROUNDS: Final = 4.0  # times its planned duration that a round may take before the next one starts anyway


def run(options: ChaosOptions, say: Callable[[str], None]) -> dict[str, Any]:
    """Return the report. Stuck if the run cannot end, BrokerUnavailable without Apache Kafka."""
    with ExitStack() as running:
        stack = running.enter_context(set_up(options, say))
        load = Load(stack, options)
        announcements = Announcements(stack.stage.sqs, stack.stage.queue)
        running.callback(announcements.stop)
        runtimes = Runtimes(stack, options)
        running.callback(runtimes.stop)
        watch = ChaosMonitor(stack, load, runtimes, say)
        running.callback(watch.stop)
        running.callback(load.stop)
        random = Random(f"{options.seed}/harm")  # noqa: S311 - reproducible on purpose
        context = FaultContext(stack, load, runtimes, watch, random, options)
        faults = _play(context, schedule(options.seed, options.faults, options.only), say)
        _drain(context, say)
        watch.stop()
        say("reading everything back")
        return report(options, faults, verdict(stack, load, announcements), watch, runtimes)


def _play(context: FaultContext, kinds: list[FaultKind], say: Callable[[str], None]) -> list[FaultReport]:
    context.runtimes.start_workers(WORKERS)
    context.load.start()
    faults = []
    for number, kind in enumerate(kinds, 1):
        context.load.allow(context.options.records * number // len(kinds))
        began = context.watch.now
        context.wait(context.random.uniform(0.1, 0.3) * context.options.round_seconds)
        say(f"fault {number} of {len(kinds)}: {kind.name}")
        faults.append(_inflict(context, kind))
        say(f"  {faults[-1].note or 'done'}: took {faults[-1].seconds:.1f} s, recovered in {faults[-1].recovery:.1f} s")
        left = began + ROUNDS * context.options.round_seconds - context.watch.now
        quota = context.options.records * number // len(kinds)
        context.until(lambda quota=quota: context.load.sent >= quota, left)  # type: ignore[misc]
    return faults


def _inflict(context: FaultContext, kind: FaultKind) -> FaultReport:
    began = context.watch.now
    context.watch.begin_fault()
    note = kind.inject(context)
    over = context.watch.now
    context.moves_on()
    return FaultReport(
        round(began, 1),
        kind.name,
        round(over - began, 1),
        round(context.watch.now - over, 1),
        round(context.watch.longest_still, 1),
        note,
    )


def _drain(context: FaultContext, say: Callable[[str], None]) -> None:
    """Stop everything, and let a new worker settle what is left."""
    say("no more faults: a new worker settles the rest")
    runtimes, load, watch = context.runtimes, context.load, context.watch
    load.allow(len(load.records))
    if runtimes.active == "msk":
        runtimes.source.stop()
        runtimes.active = "worker"
    runtimes.drain(*runtimes.workers)
    runtimes.start_workers()
    if not context.until(lambda: load.ended, DRAIN_SECONDS):
        raise Stuck(f"not everything was produced: {watch.status()}")
    stack = context.stack
    ends = log.ends(stack.broker.bootstrap, stack.stage.pipeline.topic, stack.partitions)
    if not context.until(lambda: watch.positions == ends, DRAIN_SECONDS):
        raise Stuck(f"not everything was settled: {watch.positions} of {ends}")
    runtimes.drain(*runtimes.workers)
