"""The worker's lag: how many records of each lane are not settled, and the age of the oldest.

Law: the lag is counted from the ledger, not from the commit. Aborted transactions and their markers are no records:
where the client has passed them and holds nothing else, they do not count.
"""

import json
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, Final

from aws_lambda_powertools import Logger
from confluent_kafka import KafkaException

from functions.core.metrics import LAG, RECORD_AGE
from functions.runtimes.worker.fleet import Fleet
from functions.runtimes.worker.lane import Lane
from functions.telemetry import Meter, Sample

RECORD_SECONDS: Final = 1.0  # the interval between samples


@dataclass(slots=True)
class Lag:
    """Measures the lag of all lanes of a fleet. `recorded` is the time of the last samples, of the monotonic clock.

    `threads` ask the brokers, by `log_ends`, for the ends of logs that are not read. Some may be missing.
    """

    fleet: Fleet
    meter: Meter
    log: Logger
    threads: Executor
    log_ends: Callable[[Collection[int]], Mapping[int, int]]
    recorded: float = 0.0
    asking: Future[None] | None = None

    def learn(self, statistics: str) -> bool:
        """Read each lane's log end and fetch position from the client's statistics. True: a broker is connected."""
        known = json.loads(statistics)
        topics, unread = known["topics"], []
        for lane in self.fleet.lanes.values():
            if lane.paused or not lane.attached:
                unread.append(lane)
            else:
                _learn(lane, topics.get(lane.topic, {}).get("partitions", {}).get(str(lane.partition), {}))
        if unread and (self.asking is None or self.asking.done()):
            self.asking = self.threads.submit(self._ask, unread)
        return any(broker.get("state") == "UP" for broker in known.get("brokers", {}).values())

    def record(self, now: float) -> None:
        """Record the lag, at most once every RECORD_SECONDS."""
        if now - self.recorded < RECORD_SECONDS:
            return
        self.recorded = now
        self.meter.record(Sample(RECORD_AGE, self.fleet.oldest()))
        for lane in self.fleet.lanes.values():
            if lane.lag is not None:
                self.meter.record(Sample(LAG, lane.lag, (str(lane.partition),)))

    def forget(self, partitions: list[int]) -> None:
        """Drop the lag of partitions that another worker has now, so that it is not counted twice."""
        for partition in partitions:
            self.meter.forget(LAG, str(partition))

    def _ask(self, lanes: list[Lane]) -> None:
        """Ask the brokers for log ends: statistics only know those of logs that are fetched. Runs on a thread."""
        try:
            ends = self.log_ends([lane.partition for lane in lanes])
        except KafkaException as error:
            self.log.warning("log ends", extra={"error": str(error)})
            return
        for lane in lanes:
            lane.log_end = ends.get(lane.partition, lane.log_end)


def _learn(lane: Lane, known: dict[str, Any]) -> None:
    end = known.get("ls_offset", -1)
    if end >= 0:
        lane.log_end = end
    lane.fetched = known.get("next_offset", -1) if known.get("fetchq_cnt") == 0 else -1
