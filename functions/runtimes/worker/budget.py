"""How much memory each lane may fill, so that no lane keeps the others from reading.

Law: a lane may always fill its share. Half of the budget is divided into equal shares; the other half is a pool for
those that need more, because few partitions carry most records. So lanes that cannot progress may exhaust the pool, and
the others continue with smaller slices.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from functions.runtimes.worker.lane import Lane

RESUME_AT: Final = 0.5  # of the share or the pool; the difference prevents constant pauses and resumes


@dataclass(frozen=True, slots=True)
class Budget:
    """`total` bytes for these lanes."""

    total: int
    lanes: Collection[Lane]

    @property
    def share(self) -> int:
        """Bytes that each lane may fill in any case."""
        return self.total // (2 * max(1, len(self.lanes)))

    @property
    def pool_used(self) -> int:
        """Bytes by which lanes exceed their shares."""
        share = self.share
        return sum(max(0, lane.size - share) for lane in self.lanes)

    def is_full(self, lane: Lane) -> bool:
        """Whether the lane should read no more: the pool is exhausted, or a whole slice waits behind one in flight."""
        if lane.attempt is not None and lane.waiting_bytes >= lane.limits.slice_bytes:
            return True
        return lane.size >= self.share and self.pool_used >= self.total // 2

    def may_resume(self, lane: Lane) -> bool:
        """Whether a lane that was full may read again."""
        if lane.attempt is not None and lane.waiting_bytes >= RESUME_AT * lane.limits.slice_bytes:
            return False
        return lane.size <= RESUME_AT * self.share or self.pool_used < RESUME_AT * self.total / 2

    def room(self) -> int:
        """Bytes that all lanes that are read may fill now."""
        pool, share = max(0, self.total // 2 - self.pool_used), self.share
        return pool + sum(max(0, share - lane.size) for lane in self.lanes if lane.attached and not lane.paused)
