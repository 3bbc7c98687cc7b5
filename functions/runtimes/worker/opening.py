"""Opens lanes on threads, so that neither the loop nor a rebalance waits for a partition without leader or ledger."""

import random
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from aws_lambda_powertools import Logger
from confluent_kafka import TopicPartition

from functions.core.backoff import Backoff
from functions.core.errors import Retry, Stop
from functions.runtimes.worker.fleet import REOPEN_SECONDS, Fleet
from functions.runtimes.worker.lane import Lane


@dataclass(slots=True)
class Opener:
    """Opens the lanes of a fleet with `first_offset`, which raises Retry or Stop. A lane that fails is tried again.

    A stopped lane is tried, too: an operator may have resumed it.
    """

    first_offset: Callable[[TopicPartition], int]
    threads: Executor
    fleet: Fleet
    log: Logger
    backoff: Backoff = field(default_factory=lambda: Backoff(initial_seconds=0.5, max_seconds=30.0))

    def turn(self, now: float) -> None:
        """Note the lanes that have been opened since the last turn, and open those that are due.

        Raises an error that is neither Retry nor Stop, because it means that this process is broken.
        """
        for lane in self.fleet.lanes.values():
            if lane.opening is not None and lane.opening.done():
                self._ended(lane, now)
            elif lane.to_open(now):
                lane.opening = self.threads.submit(self.first_offset, TopicPartition(lane.topic, lane.partition))

    def _ended(self, lane: Lane, now: float) -> None:
        opening, lane.opening = lane.opening, None
        assert opening is not None  # noqa: S101 - `turn` selects such lanes
        known = {"topic": lane.topic, "partition": lane.partition}
        try:
            position = opening.result()
        except Stop as error:
            if lane.stopped is None:
                self.log.error("partition stopped", extra=known | {"error": str(error)})  # noqa: TRY400 - no bug
            lane.stop(error, now + REOPEN_SECONDS)
        except Retry as error:
            lane.open_failures += 1
            lane.open_at = now + self.backoff.delay(lane.open_failures, random.random())  # noqa: S311 - jitter
            self.log.warning("partition not opened", extra=known | {"error": str(error)})
        else:
            lane.opened(position)
            self.log.info("partition opened", extra=known | {"position": position})
