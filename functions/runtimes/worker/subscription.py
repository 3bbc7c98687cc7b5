"""Tells the client which lanes to read: from where, paused, or not at all.

A pause is cheap and short: the client keeps its place, and its queue. A lane that cannot progress for longer is
detached, so that neither the client nor the lane holds records of it, and attached again at its position.
"""

from dataclasses import dataclass
from typing import Final

from confluent_kafka import Consumer, TopicPartition

from functions.runtimes.worker.budget import Budget
from functions.runtimes.worker.lane import Lane

FULL_SECONDS: Final = 0.5  # how long a full lane may drain before it is paused
DETACH_FAILURES: Final = 3  # consecutive attempts without progress
DETACH_SECONDS: Final = 30.0  # in the same step of an attempt


@dataclass(slots=True)
class Subscription:
    """Adjusts what the client reads to what the lanes can take. `budget` is about all of them."""

    consumer: Consumer

    def adjust(self, budget: Budget, now: float) -> bool:
        """Attach, detach, pause and resume lanes. False: a full lane may drain in a moment, so read nothing."""
        for lane in budget.lanes:
            self._free(lane, budget.share, now)
            if lane.attached != self._may_be_attached(lane, now):
                self._detach(lane) if lane.attached else self._attach(lane)
        reading = [lane for lane in budget.lanes if lane.attached]
        for lane in reading:
            self._pause_or_resume(lane, budget, now)
        return not any(lane.full_since is not None and not lane.paused for lane in reading)

    @staticmethod
    def _may_be_attached(lane: Lane, now: float) -> bool:
        if not lane.is_open or _hangs(lane, now):
            return False
        if lane.slice_ is None:
            return now >= lane.retry_at
        return lane.failures < DETACH_FAILURES

    @staticmethod
    def _free(lane: Lane, share: int, now: float) -> None:
        """Drop the records of a lane that cannot progress. A slice within its share keeps its progress."""
        if _hangs(lane, now):
            lane.drop_waiting()
        elif lane.failures >= DETACH_FAILURES and lane.slice_ is not None:
            if lane.slice_bytes > share:
                lane.give_back(share)
            else:
                lane.drop_waiting()

    def _attach(self, lane: Lane) -> None:
        resume_point = [TopicPartition(lane.topic, lane.partition, lane.position)]
        self.consumer.incremental_assign(resume_point)
        self.consumer.resume(resume_point)  # librdkafka remembers that a partition was paused before
        lane.attached, lane.paused, lane.full_since, lane.fetched = True, False, None, -1

    def _detach(self, lane: Lane) -> None:
        lane.drop_waiting()
        self.consumer.incremental_unassign([TopicPartition(lane.topic, lane.partition)])
        lane.attached, lane.paused, lane.full_since = False, False, None

    def _pause_or_resume(self, lane: Lane, budget: Budget, now: float) -> None:
        if lane.paused:
            if not lane.blocked and budget.may_resume(lane):
                self._set_paused(lane, paused=False)
        elif lane.blocked:
            self._set_paused(lane, paused=True)
        elif not budget.is_full(lane):
            lane.full_since = None
        else:
            lane.full_since = now if lane.full_since is None else lane.full_since
            if now - lane.full_since >= FULL_SECONDS:
                self._set_paused(lane, paused=True)

    def _set_paused(self, lane: Lane, *, paused: bool) -> None:
        partitions = [TopicPartition(lane.topic, lane.partition)]
        (self.consumer.pause if paused else self.consumer.resume)(partitions)
        lane.paused, lane.full_since = paused, None


def _hangs(lane: Lane, now: float) -> bool:
    return lane.attempt is not None and lane.attempt.still(now) >= DETACH_SECONDS
