"""A whole run of the demo: set the stage, play the story, verify, report."""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

from functions.core import names
from functions.local.demo import read_back
from functions.local.demo.announcements import Announcements
from functions.local.demo.ground import Ground
from functions.local.demo.listen import Listener
from functions.local.demo.pace import Pace, Room
from functions.local.demo.produce import Production
from functions.local.demo.record import Record
from functions.local.demo.report import report
from functions.local.demo.story import Story
from functions.local.demo.verify import Verification
from functions.local.demo.view import View
from functions.local.demo.watch import Watch
from functions.local.demo.worker import WorkerProcess
from functions.local.event_source.mapping import Mapping
from functions.local.event_source.source import EventSource
from functions.local.stage import Stage

LANES: Final = 2  # invocations side by side
BATCHES: Final = 20  # about so many in all
LARGEST_BATCH: Final = 10_000  # that AWS takes
STOP_SECONDS: Final = 2.0  # for batches in flight, when the run ends before its time
EMBEDDED_BYTES: Final = 2_500_000  # unsettled in a partition: half of what librdkafka's mock keeps


def run(ground: Ground, records: Sequence[Record], source: dict[str, Any], view: View, logs: Path) -> dict[str, Any]:
    """The report. Logs of the runtimes go to a folder; StoryError when the story cannot come to its end."""
    stage, topics = ground.stage, ground.topics
    msk_log, worker_log = logs / "msk.log", logs / "worker.log"
    for log in (msk_log, worker_log):
        log.unlink(missing_ok=True)
    room = Room(EMBEDDED_BYTES if stage.broker.kind == "embedded" else None)
    ledger = stage.dynamodb.Table(names.ledger_table(stage.name))
    with ExitStack() as stack:
        listener = Listener(topics.output)
        stack.callback(listener.stop)
        announcements = Announcements(stage.sqs, stage.queue)
        stack.callback(announcements.stop)
        production = Production(topics.source, records, Pace(len(records)), room)
        stack.callback(production.stop)
        msk = EventSource(_mapping(stage, msk_log, len(records)))
        stack.callback(msk.stop, STOP_SECONDS)
        worker = WorkerProcess(stage.environment, worker_log)
        stack.callback(worker.kill)
        watch = Watch(ledger, stage.pipeline.name, production, view, (msk_log, worker_log))
        told = Story(production, msk, worker, watch, view).play(_broker(stage), source)
        view.chapter("Verify", "reading back everything, without the pipeline's code")
        began = time.monotonic()
        listener.stop()
        announcements.stop()
        found = read_back.everything(stage, listener.messages(), announcements)
        verdict = Verification(production.places, found, stage.mask_key).verdict()
        return report(told, verdict, time.monotonic() - began)


def _broker(stage: Stage) -> dict[str, str]:
    return {"kind": stage.broker.kind, "version": stage.broker.version, "reason": stage.broker.reason}


def _mapping(stage: Stage, log: Path, records: int) -> Mapping:
    """Batches as large as a burst deserves, and so small that a handover need not wait long for those in flight."""
    batch_size = min(max(records // BATCHES, 100), LARGEST_BATCH)
    return Mapping(
        stage.pipeline.topic, stage.group, stage.broker.bootstrap, stage.function(log),
        batch_size=batch_size, concurrency=LANES, session_timeout=stage.session_seconds,
    )  # fmt: skip
