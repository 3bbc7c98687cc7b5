"""An attempt in flight: a settlement that runs, or waits for a thread."""

from collections.abc import Callable
from concurrent.futures import Executor, Future

from functions.core.settle import Settled, Settlement


class AttemptInFlight:
    """Runs a settlement on one of `threads`. Times are seconds of the monotonic clock, which it reads on its thread.

    It begins when its thread does: to wait for a thread is no sign of a hang.
    """

    def __init__(self, settlement: Settlement, threads: Executor, monotonic: Callable[[], float]) -> None:
        self.settlement, self._monotonic = settlement, monotonic
        self.began: float | None = None
        self._seen: tuple[int, bool] | None = None
        self._since = 0.0
        self.future: Future[Settled] = threads.submit(self._run)

    def _run(self) -> Settled:
        self.began = self._monotonic()
        return self.settlement.run()

    def seconds(self, now: float) -> float:
        """Seconds since it began; 0 while it waits for a thread."""
        return 0.0 if self.began is None else now - self.began

    def still(self, now: float) -> float:
        """Seconds for which it has been in the same step: in one call of the pipeline's code, or in the stores.

        Call it often, because it learns of a step when it is called.
        """
        if self.began is None:
            return 0.0
        step = (self.settlement.evaluations, self.settlement.evaluating)
        if step != self._seen:
            self._since = self.began if self._seen is None else now
            self._seen = step
        return now - self._since

    def abandon(self) -> None:
        """Have it end without suspicion, unless the pipeline's code runs: then it may be the end of its process."""
        if not self.future.cancel() and self.began is not None and not self.settlement.evaluating:
            self.settlement.abandon()
