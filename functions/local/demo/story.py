"""The story: a burst through Lambda, a handover in mid-stream, a worker that is killed and comes back."""

import signal
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from functions.local.demo.produce import Production
from functions.local.demo.report import Run, Shift
from functions.local.demo.view import View
from functions.local.demo.watch import Watch
from functions.local.demo.worker import WorkerProcess
from functions.local.event_source.source import EventSource
from functions.local.event_source.stats import Stats

HANDOVER_AT: Final = 0.8  # of the burst settled: the rest of it, and what is produced meanwhile, is the worker's
KILL_AT: Final = 0.5  # of what is left for the worker
READY_SECONDS: Final = 30.0
DRAIN_SECONDS: Final = 30.0


@dataclass
class Story:
    """Plays once. Whoever makes it stops what it started."""

    production: Production
    msk: EventSource
    worker: WorkerProcess
    watch: Watch
    view: View

    def play(self, broker: dict[str, str], source: dict[str, Any]) -> Run:
        """What happened; `broker` and `source` go into it as they are. StoryError when it cannot come to its end."""
        began = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        self.watch.begin()
        msk = self._burst()
        handover = self.watch.marks[-1].at
        self._steady()
        seconds = self.watch.now
        self._drain()
        worker = Shift(self.watch.settled - msk.records, seconds - handover, {"starts": 2})
        shifts = {"msk": msk, "worker": worker}
        return Run(began, broker, source, shifts, self.watch.samples, self.watch.marks, seconds)

    def _burst(self) -> Shift:
        """Lambda at work, until it is disabled in mid-stream."""
        burst = self.production.pace.burst
        self.view.chapter("Burst", f"{burst:,} records at once, through Lambda")
        self.watch.healthy = lambda: f"the event source ended: {self.msk.error!r}" if self.msk.error else None
        self.msk.start()
        self.msk.wait_ready(READY_SECONDS)
        self.production.start()
        self.watch.until(lambda: self.watch.settled >= burst * HANDOVER_AT)
        self.view.chapter("Handover", "the mapping is disabled: batches in flight end, nothing new begins")
        self.watch.during(self.msk.stop)
        taken = self.watch.look()
        self.watch.mark("handover")
        return Shift(taken.settled, taken.at, _told(self.msk.stats))

    def _steady(self) -> None:
        """The worker at work, killed half-way, started again, until everything is settled."""
        taken = self.watch.settled
        half = taken + int((self.watch.count - taken) * KILL_AT)

        def half_way() -> bool:
            """Or the worker has begun, and nothing more will come."""
            seen = self.watch.samples[-1]
            return seen.settled >= half or (seen.produced == self.watch.count and seen.settled > taken)

        self.worker.start()
        rate = self.production.pace.steady(time.monotonic())
        self.watch.healthy = self._worker_problem
        self.view.note(f"{taken:,} settled by Lambda; the worker goes on from there, while records keep coming")
        self.view.chapter("Steady load", f"{rate:,.0f} records/s, on the worker")
        self.watch.until(half_way)
        self.worker.kill()
        self.watch.mark("kill")
        self.view.chapter("Kill", f"the worker is gone after {self.watch.settled - taken:,} records: SIGKILL")
        self.worker.start()
        self.view.note("started again; the group gives it the dead one's partitions once its session is over")
        killed = self.watch.settled
        self.watch.until(lambda: self.watch.settled > killed or self._all_settled())
        self.watch.mark("back")
        self.view.chapter("Settle the rest", "from where the ledger stands")
        self.watch.until(self._all_settled)

    def _drain(self) -> None:
        code = self.worker.terminate(DRAIN_SECONDS)
        if code not in {0, -signal.SIGTERM}:  # -SIGTERM: nothing was left for it, and it had not even come up
            raise self.watch.failure(f"the worker ended with {code} after SIGTERM, takes 0")

    def _all_settled(self) -> bool:
        return self.production.ended and self.watch.settled >= self.watch.count

    def _worker_problem(self) -> str | None:
        code = self.worker.exit_code
        return None if code is None else f"the worker ended by itself with {code}"


def _told(stats: Stats) -> dict[str, int | float]:
    slowest = max(stats.durations, default=0.0)
    return {"invocations": stats.invocations, "failures": stats.failures, "slowest_invocation": round(slowest, 2)}
