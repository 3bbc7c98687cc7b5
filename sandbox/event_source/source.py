"""A simulator of Lambda's event source mapping for MSK, and of the part of Lambda that it calls.

AWS documents that disabling a mapping pauses polling ("Amazon MSK event source mapping in Lambda"); that the batch in
flight still ends and is committed, and that the group is left, is chosen here. Filters, bisecting, partial batch
responses, schema registries and the scaling of pollers are left out.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from sandbox.event_source.destination import Destination
from sandbox.event_source.mapping import EventSourceMapping
from sandbox.event_source.run import BatchProgress, MappingRun
from sandbox.event_source.stats import Stats, StatsCounter

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class EventSource:
    """A mapping that can be enabled (`start`) and disabled (`stop`), again and again; `with` does both.

    `s3` is needed if the mapping has an on-failure destination: ValueError without it.
    """

    def __init__(self, mapping: EventSourceMapping, s3: "S3Client | None" = None) -> None:
        if mapping.on_failure and s3 is None:
            raise ValueError(f"on_failure={mapping.on_failure}: needs an S3 client")
        self._mapping = mapping
        self._destination = Destination(s3, mapping.on_failure, mapping) if s3 and mapping.on_failure else None
        self._stats = StatsCounter()
        self._callbacks: list[Callable[[BatchProgress], None]] = []
        self._run: MappingRun | None = None

    def on_batch(self, callback: Callable[[BatchProgress], None]) -> None:
        """Call `callback` after each batch that ended, from another thread; what it raises ends the run."""
        self._callbacks.append(callback)

    def start(self) -> None:
        """Join the group and poll, without waiting. Does nothing if it runs."""
        if self._run is None:
            self._run = MappingRun(self._mapping, self._destination, self._stats, self._notify)

    def wait_ready(self, timeout: float) -> bool:
        """Wait for the group to assign partitions; False if that took longer than `timeout` seconds."""
        return self._run is not None and self._run.group.assigned.wait(timeout)

    def stop(self, within: float | None = None) -> None:
        """Let the batches in flight end, leave the rest uncommitted, leave the group.

        The function timeout bounds it; after `within` seconds, if given, the environments are killed. Raises what
        ended the run before, if anything did.
        """
        run, self._run = self._run, None
        if run is not None:
            run.stop(within)

    @property
    def running(self) -> bool:
        """Whether it is enabled."""
        return self._run is not None

    @property
    def error(self) -> Exception | None:
        """What ended the run, if anything did; `stop` raises it."""
        return self._run.error if self._run else None

    @property
    def stats(self) -> Stats:
        """The statistics of all runs of this source together."""
        return self._stats.stats()

    def kill_environment(self) -> bool:
        """Kill one environment that has a batch in flight; False if none has."""
        return self._run is not None and any(queue.kill() for queue in self._run.queues)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _notify(self, progress: BatchProgress) -> None:
        for callback in self._callbacks:
            callback(progress)
