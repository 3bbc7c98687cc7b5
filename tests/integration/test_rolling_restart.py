"""Four workers are restarted one by one under load: nothing is lost or doubled, and no partition rests for long."""

from contextlib import ExitStack

import pytest

from tests.integration.accounting import account
from tests.integration.pauses import Pauses
from tests.integration.stage import PARTITIONS, Stage
from tests.integration.test_worker import stream
from tests.integration.waiting import eventually
from tests.integration.worker import WorkerProcess

pytestmark = pytest.mark.usefixtures("real")

WORKERS = 4
LONGEST = 10.0  # seconds, the figure of docs/eks.md: more than three times what was measured on two busy cores
# The timing of a deployed group, and not the quick one of other tests. Slices are gathered for 0.2 s as everywhere
# here: a deployed pipeline's own time, 5 s, comes on top.
DEPLOYED = {"TANDEM_SESSION_TIMEOUT_SECONDS": "45"}


class Rollout:
    """Workers as a deployment's pods: each one that ends is replaced."""

    def __init__(self, stage: Stage, stack: ExitStack) -> None:
        self._stage, self._stack = stage, stack
        self.running = [self._start() for _ in range(WORKERS)]
        for worker in self.running:
            worker.ready()
        eventually(lambda: self._shares() == [1] * WORKERS, stage.state)

    def replace(self, old: WorkerProcess, *, surge: bool) -> None:
        """`surge`: the new one is ready before the old one is told to end; otherwise it starts when that is gone."""
        if surge:
            self.running.append(self._start().ready())
        old.terminate()
        assert old.exit_code() == 0
        self.running.remove(old)
        if not surge:
            self.running.append(self._start().ready())

    def _start(self) -> WorkerProcess:
        return self._stack.enter_context(self._stage.worker(**DEPLOYED))

    def _shares(self) -> list[float]:
        return [worker.metric("assigned_partitions") for worker in self.running]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("surge", [False, True], ids=["one less", "one more"])
def test_a_rolling_restart_under_load_pauses_no_partition_for_long(
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
    told = ", ".join(f"{pauses.longest[partition]:.1f}" for partition in sorted(pauses.longest))
    request.config.get_terminal_writer().line(f"longest pauses by partition: {told} s; assignments: {changes}")
    assert max(pauses.longest.values()) < LONGEST
    account(stage.produced, stage.found())
