"""Four workers restart one by one under load: nothing is lost or doubled, no partition waits for a session's end."""

from contextlib import ExitStack

import pytest

from tests.integration.accounting import account
from tests.integration.pauses import Pauses
from tests.integration.stage import PARTITIONS, Stage
from tests.integration.test_worker import stream
from tests.integration.waiting import eventually
from tests.integration.worker import ProbedWorker

pytestmark = pytest.mark.usefixtures("real")

WORKERS = 4
SESSION_SECONDS = 45
# A deployed group's, not the short one of other tests. Slices fill for 0.2 s here, and for 5 s by default.
DEPLOYED = {"TANDEM_SESSION_TIMEOUT_SECONDS": str(SESSION_SECONDS)}


class Rollout:
    """Workers as a deployment's pods: each one that ends is replaced."""

    def __init__(self, stage: Stage, stack: ExitStack) -> None:
        self._stage, self._stack = stage, stack
        self.running = [self._start() for _ in range(WORKERS)]
        for worker in self.running:
            worker.ready()
        eventually(lambda: self._shares() == [1] * WORKERS, stage.state)

    def replace(self, old: ProbedWorker, *, surge: bool) -> None:
        """With `surge` the new worker is ready before SIGTERM to the old one, else it starts after its end."""
        if surge:
            self.running.append(self._start().ready())
        old.terminate()
        assert old.end() == 0
        self.running.remove(old)
        if not surge:
            self.running.append(self._start().ready())

    def _start(self) -> ProbedWorker:
        return self._stack.enter_context(self._stage.worker(**DEPLOYED))

    def _shares(self) -> list[float]:
        return [worker.metric("assigned_partitions") for worker in self.running]


@pytest.mark.parametrize("surge", [False, True], ids=["one less", "one more"])
def test_a_rolling_restart_under_load_pauses_no_partition_for_a_session(
    stage: Stage, request: pytest.FixtureRequest, *, surge: bool
) -> None:
    with ExitStack() as stack:
        rollout = Rollout(stage, stack)
        with stream(stage), Pauses(stage) as pauses:
            stage.settle_some(100 * PARTITIONS, *rollout.running)
            for old in list(rollout.running):
                rollout.replace(old, surge=surge)
            stage.settle_some(sum(stage.ends().values()), *rollout.running)
        stage.settle(*rollout.running)
        changes = [len(worker.lines("partitions")) for worker in rollout.running]
    figures = ", ".join(f"{pauses.longest[partition]:.1f}" for partition in sorted(pauses.longest))
    request.config.get_terminal_writer().line(f"longest pauses by partition: {figures} s; assignments: {changes}")
    assert max(pauses.longest.values()) < SESSION_SECONDS, (
        "a partition waited for the session of a worker that had left"
    )
    account(stage.produced, stage.found())
