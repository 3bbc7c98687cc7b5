"""The state of all pipelines as the console last saw it, with the lag of the last hour. One thread a pipeline."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event, Thread
from time import monotonic
from typing import Final, NamedTuple

from functions.core.errors import TandemError
from functions.operate.context import OperatorContext
from functions.operate.status.partition_status import PipelineStatus, inspect_pipeline

LOOK_SECONDS: Final = 5.0
KEPT_SECONDS: Final = 3600.0


class LagSample(NamedTuple):
    """The lag at a time, in seconds of a clock that never goes back."""

    time: float
    lag: int


@dataclass
class PipelineWatch:
    """What was seen of a pipeline last. `error`: why its state could not be read the last time."""

    context: OperatorContext
    status: PipelineStatus | None = None
    error: str | None = None
    lags: deque[LagSample] = field(default_factory=lambda: deque(maxlen=int(KEPT_SECONDS / LOOK_SECONDS)))

    def look(self) -> None:
        """Read the state once. Whatever happens is the pipeline's own error, and no other's."""
        try:
            self.status, self.error = inspect_pipeline(self.context), None
        except TandemError as error:
            self.error = str(error)
            return
        except Exception as error:  # noqa: BLE001 - one pipeline's fault must not end the watching
            self.error = f"{type(error).__name__}: {error}"
            return
        if self.status.error is None:
            self.lags.append(LagSample(monotonic(), sum(each.lag or 0 for each in self.status.partitions)))


@dataclass
class Watcher:
    """Watches pipelines by name while it is entered."""

    pipelines: Mapping[str, PipelineWatch]
    _ended: Event = field(default_factory=Event)

    def start(self) -> None:
        """Begin to look, in the background."""
        for watch in self.pipelines.values():
            Thread(target=self._run, args=[watch], name="watch", daemon=True).start()

    def stop(self) -> None:
        """Look no more."""
        self._ended.set()

    def _run(self, watch: PipelineWatch) -> None:
        while not self._ended.is_set():
            watch.look()
            self._ended.wait(LOOK_SECONDS)
