"""A whole run of the demo: a burst through Lambda, a handover, a worker that is killed and restarted, verification."""

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from functions.core import names
from sandbox.demo import read_back
from sandbox.demo.listen import Announcements, Listener
from sandbox.demo.produce import Pace, Production, Room
from sandbox.demo.progress import ProgressMonitor
from sandbox.demo.records import Produced, Record
from sandbox.demo.report import DemoRun, RuntimeResult, report
from sandbox.demo.verify import Verdict, Verification
from sandbox.demo.view import ConsoleView
from sandbox.event_source.mapping import EventSourceMapping
from sandbox.event_source.source import EventSource
from sandbox.event_source.stats import Stats
from sandbox.local_stack import LocalStack
from sandbox.stage import LocalStage
from sandbox.worker import WorkerProcess

HANDOVER_AT: Final = 0.8  # of the burst: the worker settles the rest of it, and what is produced during the handover
KILL_AT: Final = 0.5  # of what is left for the worker
READY_SECONDS: Final = 120.0
DRAIN_SECONDS: Final = 120.0
STOP_SECONDS: Final = 2.0  # for batches in flight, when the run ends early
CONCURRENCY: Final = 2  # invocations in parallel
BATCHES: Final = 20  # in all, about
MAX_BATCH_RECORDS: Final = 10_000  # AWS's limit
EMBEDDED_BYTES: Final = 2_500_000  # unsettled in a partition: half of what librdkafka's mock keeps


@dataclass(frozen=True, slots=True)
class CompletedRun:
    """What there is to verify: the stage, what was produced, and what was listened to, by output topic."""

    stage: LocalStage
    produced: Produced
    listeners: Mapping[str, Listener]
    announcements: Announcements


Verify = Callable[[CompletedRun], Verdict]


def run(  # noqa: PLR0913, PLR0917 - of a whole demo
    stack: LocalStack,
    records: Sequence[Record],
    origin: dict[str, Any],
    view: ConsoleView,
    folder: Path,
    verify: Verify,
) -> dict[str, Any]:
    """Run the story and return its report. The runtimes log to `folder`. StoryError when the story cannot end."""
    stage, topics = stack.stage, stack.topics
    msk_log, worker_log = folder / "msk.log", folder / "worker.log"
    for log in (msk_log, worker_log):
        log.unlink(missing_ok=True)
    room = Room(EMBEDDED_BYTES if stage.broker.kind == "embedded" else None)
    ledger = stage.dynamodb.Table(names.ledger_table(stage.name))
    with ExitStack() as running:
        listeners = {topic.name: Listener(topic) for topic in topics.outputs}
        for listener in listeners.values():
            running.callback(listener.stop)
        announcements = Announcements(stage.sqs, stage.queue)
        running.callback(announcements.stop)
        production = Production(topics.source, records, Pace(len(records)), room)
        running.callback(production.stop)
        msk = EventSource(_mapping(stage, msk_log, len(records)))
        running.callback(msk.stop, STOP_SECONDS)
        workers = Workers(stage, worker_log, running)
        monitor = ProgressMonitor(ledger, stage.pipeline.name, production, view, (msk_log, worker_log))
        result = Story(production, msk, workers, monitor, view).play(_broker(stage), origin)
        view.chapter("Verify", "reading everything back")
        began = time.monotonic()
        for listener in listeners.values():
            listener.stop()
        announcements.stop()
        verdict = verify(CompletedRun(stage, production.places, listeners, announcements))
        return report(result, verdict, time.monotonic() - began)


def verify_logins(ran: CompletedRun) -> Verdict:
    """Compare what the stores hold with how the logins were made, without the pipeline's code."""
    (listener,) = ran.listeners.values()
    contents = read_back.everything(ran.stage, listener.messages(), ran.announcements)
    return Verification(ran.produced, contents, ran.stage.mask_key).verdict()


def _broker(stage: LocalStage) -> dict[str, str]:
    return {"kind": stage.broker.kind, "version": stage.broker.version, "reason": stage.broker.reason}


def _mapping(stage: LocalStage, log: Path, count: int) -> EventSourceMapping:
    """Return a mapping with batches large enough for a burst, and small enough that a handover does not wait long."""
    batch_size = min(max(count // BATCHES, 100), MAX_BATCH_RECORDS)
    return EventSourceMapping(
        stage.pipeline.topic, stage.group, stage.broker.bootstrap, stage.function(log),
        batch_size=batch_size, concurrency=CONCURRENCY, session_timeout=stage.session_seconds,
    )  # fmt: skip


class Workers:
    """One worker after the other, writing to one log. `current` is the last one, or None."""

    def __init__(self, stage: LocalStage, log: Path, running: ExitStack) -> None:
        self.current: WorkerProcess | None = None
        self._stage, self._log, self._running = stage, log, running

    def start(self) -> WorkerProcess:
        """Start a worker; it is killed when the run ends."""
        self.current = self._running.enter_context(WorkerProcess(self._stage.environment, self._log))
        return self.current


@dataclass
class Story:
    """Plays once. The caller stops everything that was started."""

    production: Production
    msk: EventSource
    workers: Workers
    monitor: ProgressMonitor
    view: ConsoleView

    def play(self, broker_info: dict[str, str], origin: dict[str, Any]) -> DemoRun:
        """Return what happened; `broker_info` and `origin` are copied into it. StoryError when the story cannot end."""
        began = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self.monitor.begin()
        msk = self._burst()
        handover = self.monitor.moments[-1].seconds
        self._steady()
        seconds = self.monitor.now
        self._drain()
        worker = RuntimeResult(self.monitor.settled - msk.records, seconds - handover, {"starts": 2})
        results = {"msk": msk, "worker": worker}
        return DemoRun(began, broker_info, origin, results, self.monitor.samples, self.monitor.moments, seconds)

    def _burst(self) -> RuntimeResult:
        """Run Lambda until it is disabled in the middle of the stream."""
        burst = self.production.pace.burst
        self.view.chapter("Burst", f"{burst:,} records as fast as possible, through Lambda")
        self.monitor.problem = lambda: f"the event source ended: {self.msk.error!r}" if self.msk.error else None
        self.msk.start()
        self.msk.wait_ready(READY_SECONDS)
        self.production.start()
        self.monitor.until(lambda: self.monitor.settled >= burst * HANDOVER_AT)
        self.view.chapter("Handover", "the event source mapping is disabled: batches in flight end, no new ones start")
        self.monitor.during(self.msk.stop)
        sample = self.monitor.sample()
        self.monitor.mark("handover")
        return RuntimeResult(sample.settled, sample.seconds, _details(self.msk.stats))

    def _steady(self) -> None:
        """Run a worker, kill it half-way, start another one, and wait until everything is settled."""
        by_msk = self.monitor.settled
        worker = self.workers.start()
        rate = self.production.pace.steady(time.monotonic())
        self.monitor.problem = self._worker_problem
        self.view.note(f"Lambda settled {by_msk:,}; the worker continues from there, while records keep coming")
        self.view.chapter("Steady load", f"{rate:,.0f} records/s, on the worker")
        self.monitor.until(lambda: self._half_way(by_msk))
        worker.kill()
        self.monitor.mark("kill")
        self.view.chapter("Kill", f"SIGKILL to the worker, after {self.monitor.settled - by_msk:,} records")
        self.workers.start()
        self.view.note("restarted; the group assigns it the partitions when the dead worker's session has ended")
        killed = self.monitor.settled
        self.monitor.until(lambda: self.monitor.settled > killed or self._all_settled())
        self.monitor.mark("back")
        self.view.chapter("Settle the rest", "from the position in the ledger")
        self.monitor.until(self._all_settled)

    def _half_way(self, by_msk: int) -> bool:
        """Whether the worker has settled half of its share, or has begun and no more records will come."""
        sample, count = self.monitor.samples[-1], self.monitor.count
        half = by_msk + int((count - by_msk) * KILL_AT)
        return sample.settled >= half or (sample.produced == count and sample.settled > by_msk)

    def _drain(self) -> None:
        worker = self.workers.current
        if worker is None:
            return
        worker.terminate()
        code = worker.wait(DRAIN_SECONDS)
        if code not in {0, -signal.SIGTERM}:  # -SIGTERM: it had nothing left to do, and had not even started up
            raise self.monitor.failure(f"the worker ended with {code} after SIGTERM, expected 0")

    def _all_settled(self) -> bool:
        return self.production.ended and self.monitor.settled >= self.monitor.count

    def _worker_problem(self) -> str | None:
        code = None if self.workers.current is None else self.workers.current.exit_code
        return None if code is None else f"the worker ended unexpectedly with {code}"


def _details(stats: Stats) -> dict[str, int | float]:
    slowest = max(stats.durations, default=0.0)
    return {"invocations": stats.invocations, "failures": stats.failures, "slowest_invocation": round(slowest, 2)}
