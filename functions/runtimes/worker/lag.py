"""How far the worker is behind: the records of each lane that are not settled, and the age of the oldest one.

Law: by what is settled, and not by the commit.
"""

import json
from dataclasses import dataclass
from typing import Final

from aws_lambda_powertools import Logger
from confluent_kafka import Consumer, KafkaException, TopicPartition

from functions.core.metrics import LAG, RECORD_AGE
from functions.runtimes.worker.fleet import Fleet
from functions.runtimes.worker.lane import Lane
from functions.telemetry import Meter, Sample

TELL_SECONDS: Final = 1.0  # how often it is told
ASK_SECONDS: Final = 1.0  # how long the brokers may take to say where a paused partition ends


@dataclass(slots=True)
class Lag:
    """Of all lanes of a fleet. `told` is when it was told last, of the monotonic clock."""

    fleet: Fleet
    meter: Meter
    log: Logger
    told: float = 0.0

    def learn(self, statistics: str, consumer: Consumer) -> None:
        """Take each lane's log end from the client's statistics, which come every few seconds."""
        topics = json.loads(statistics)["topics"]
        for lane in self.fleet.lanes.values():
            end = topics.get(lane.topic, {}).get("partitions", {}).get(str(lane.partition), {}).get("ls_offset", -1)
            if end >= 0 and not lane.paused:
                lane.log_end = end
        self._ask([lane for lane in self.fleet.lanes.values() if lane.paused], consumer)

    def tell(self, now: float) -> None:
        """Record it, unless that was done a moment ago."""
        if now - self.told < TELL_SECONDS:
            return
        self.told = now
        self.meter.record(Sample(RECORD_AGE, self.fleet.oldest()))
        for lane in self.fleet.lanes.values():
            if lane.lag is not None:
                self.meter.record(Sample(LAG, lane.lag, (str(lane.partition),)))

    def forget(self, partitions: list[int]) -> None:
        """These are another worker's now: two that tell their lag would count it twice."""
        for partition in partitions:
            self.meter.forget(LAG, str(partition))

    def _ask(self, lanes: list[Lane], consumer: Consumer) -> None:
        """The statistics know a log's end from fetching, so they do not see a paused partition grow."""
        try:
            for lane in lanes:
                part = TopicPartition(lane.topic, lane.partition)
                _, lane.log_end = consumer.get_watermark_offsets(part, timeout=ASK_SECONDS)
        except KafkaException as error:
            self.log.warning("log end", extra={"error": str(error)})
