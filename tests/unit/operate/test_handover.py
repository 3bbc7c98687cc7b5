"""Handing over, on a stage in memory whose runtimes join the group and settle, and a run that dies anywhere."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from functions.adapters.memory_handover import MemorySwitch
from functions.adapters.memory_kafka import MemoryRecord
from functions.core.errors import Refused, Unavailable
from functions.core.handover_ports import HandoverClaim, Runtime, SwitchState, SwitchStatus
from functions.core.operator_ports import GroupMember
from functions.operate.context import OperatorContext
from functions.operate.handover.claim import STALE_CLAIM_AFTER
from functions.operate.handover.run import HandoverRequest, run
from functions.operate.terminal import Terminal
from tests.unit.operate.mortal import DiedError, Life, Mortal
from tests.unit.operate.world import NOW, TOPIC, Output, World

RECORDS = 10
TIMEOUT = 60.0
MORTAL = ("handover_claims", "choice", "brokers", "ledger_listing")


@dataclass
class Stage:
    """A stage with traffic. Time passes only while a verb waits; then the enabled runtimes settle.

    `broken`: runtimes that join the group and settle nothing. `slow`: runtimes that never get to what was requested.
    """

    world: World
    broken: set[Runtime] = field(default_factory=set)
    slow: dict[Runtime, SwitchStatus] = field(default_factory=dict)
    both_at: list[float] = field(default_factory=list)
    seconds: float = 0.0
    offset: int = 0

    def __post_init__(self) -> None:
        for number in range(4):
            self.world.kafka.logs[TOPIC][number].records = [MemoryRecord(0, b"", b"", []) for _ in range(RECORDS)]
        self.pass_time(0)

    @property
    def enabled(self) -> list[Runtime]:
        return [runtime for runtime, switch in self.world.switches.items() if switch.enabled]

    def pass_time(self, seconds: float) -> None:
        self.seconds += seconds
        self.world.clock.advance(timedelta(seconds=seconds))
        self.world.kafka.group_members = [GroupMember(each, "10.0.0.7", (0, 1, 2, 3)) for each in self.enabled]
        if len(self.enabled) > 1:
            self.both_at.append(self.seconds)
        if set(self.enabled) - self.broken and self.offset < RECORDS:
            self.offset += 1
            self.world.settle(0, self.offset)

    def context(self, life: Life | None = None) -> OperatorContext:
        switches = {runtime: StageSwitch(self, runtime) for runtime in Runtime}
        context = replace(self.world.context, switches=switches)
        if life is None:
            return context
        ports: dict[str, Any] = {name: Mortal(getattr(context, name), life) for name in MORTAL}
        return replace(context, switches={key: Mortal(each, life) for key, each in switches.items()}, **ports)

    def hand_over(self, target: Runtime, life: Life | None = None, *, execute: bool = True) -> list[str]:
        output = Output()
        terminal = Terminal(output, wait=self.pass_time, clock=lambda: self.seconds)
        run(self.context(life), HandoverRequest(target, TIMEOUT, execute), terminal)
        return output.lines


@dataclass
class RefusingSwitch:
    """A switch whose service shows its state, and refuses to change it."""

    switch: MemorySwitch

    def state(self) -> SwitchState:
        return self.switch.state()

    def enable(self) -> None:
        raise Refused("Kubernetes: worker-logins: 403 Forbidden")

    def disable(self) -> None:
        self.switch.disable()


@dataclass
class StageSwitch:
    stage: Stage
    runtime: Runtime

    @property
    def switch(self) -> MemorySwitch:
        return self.stage.world.switches[self.runtime]

    def state(self) -> SwitchState:
        state = self.switch.state()
        if self.stage.slow.get(self.runtime) is state.status:
            return SwitchState(SwitchStatus.CHANGING, "0 of 3 pods ready")
        return state

    def enable(self) -> None:
        self.switch.enable()

    def disable(self) -> None:
        self.switch.disable()


@pytest.fixture
def stage(world: World) -> Stage:
    return Stage(world)


@pytest.mark.parametrize("target", Runtime)
def test_one_runtime_stops_before_the_other_begins(stage: Stage, target: Runtime) -> None:
    stage.world.switches[target.other].enabled, stage.world.switches[target].enabled = True, False
    lines = stage.hand_over(target)
    assert stage.enabled == [target]
    assert not stage.both_at
    assert stage.world.choice.read() is target
    assert stage.world.handover_claims.read() is None
    assert [line for line in lines if not line.startswith("waiting")][2:] == [
        f"{target.other} is disabled", "the group is empty and the ledger is still", f"{target} is enabled",
        f"{target} settles", f"recorded {target} in the stage's parameters", f"logins is handed over to {target}",
        lines[-1],
    ]  # fmt: skip
    assert f"stages.test.pipelines.logins.runtime = {target}" in lines[-1]


def test_without_execute_nothing_changes(stage: Stage) -> None:
    lines = stage.hand_over(Runtime.WORKER, execute=False)
    assert stage.enabled == [Runtime.MSK]
    assert stage.world.choice.read() is None
    assert lines[-1] == "to do it: tandem handover logins --to worker --execute"


def test_a_second_time_there_is_nothing_to_do(stage: Stage) -> None:
    stage.hand_over(Runtime.WORKER)
    assert stage.hand_over(Runtime.WORKER)[-1].endswith("nothing to do")


def test_a_target_that_settles_nothing_is_undone(stage: Stage) -> None:
    stage.broken.add(Runtime.WORKER)
    with pytest.raises(Refused, match=r"worker settles nothing on partition 0, 1, 2, 3 \(in memory\), after 60 s"):
        stage.hand_over(Runtime.WORKER)
    assert stage.enabled == [Runtime.MSK]
    assert stage.world.choice.read() is Runtime.MSK
    assert not stage.both_at


def test_a_target_that_does_not_start_is_undone(stage: Stage) -> None:
    stage.slow[Runtime.WORKER] = SwitchStatus.ENABLED
    with pytest.raises(
        Refused, match=r"worker is not enabled yet \(0 of 3 pods ready\), after 60 s: everything was un"
    ):
        stage.hand_over(Runtime.WORKER)
    assert stage.enabled == [Runtime.MSK]


def test_a_source_that_does_not_end_goes_on(stage: Stage) -> None:
    stage.slow[Runtime.MSK] = SwitchStatus.DISABLED
    with pytest.raises(Refused, match="msk is not disabled yet"):
        stage.hand_over(Runtime.WORKER)
    assert stage.enabled == [Runtime.MSK]


def test_a_target_that_is_refused_is_undone(stage: Stage) -> None:
    context = stage.context()
    refusing = RefusingSwitch(stage.world.switches[Runtime.WORKER])
    context = replace(context, switches={**context.switches, Runtime.WORKER: refusing})
    terminal = Terminal(Output(), wait=stage.pass_time, clock=lambda: stage.seconds)
    with pytest.raises(Refused, match="403 Forbidden: everything was undone, msk is enabled again"):
        run(context, HandoverRequest(Runtime.WORKER, TIMEOUT, execute=True), terminal)
    assert stage.enabled == [Runtime.MSK]
    assert stage.world.choice.read() is Runtime.MSK


def test_a_target_without_records_to_read_progresses(stage: Stage) -> None:
    for number in range(4):
        stage.world.kafka.logs[TOPIC][number].records = []
    stage.offset = RECORDS
    stage.hand_over(Runtime.WORKER)
    assert stage.enabled == [Runtime.WORKER]


def test_what_is_not_deployed_is_refused_before_anything_changes(stage: Stage) -> None:
    stage.world.switches[Runtime.WORKER].exists = False
    with pytest.raises(Refused, match="worker: not deployed: deploy it first"):
        stage.hand_over(Runtime.WORKER)
    assert stage.enabled == [Runtime.MSK]


def test_of_two_operators_the_second_is_refused(stage: Stage) -> None:
    stage.world.handover_claims.claim = HandoverClaim(Runtime.WORKER, "process 1", NOW)
    with pytest.raises(Refused, match=r"a handover to worker is under way \(process 1, last seen 0 s ago\)"):
        stage.hand_over(Runtime.MSK)
    assert stage.enabled == [Runtime.MSK]


def test_a_run_whose_claim_was_taken_over_switches_nothing_more(stage: Stage) -> None:
    other, context = HandoverClaim(Runtime.MSK, "process 1", NOW), stage.context()

    def take_over(seconds: float) -> None:
        stage.pass_time(seconds)
        stage.world.handover_claims.claim = other

    terminal = Terminal(Output(), wait=take_over, clock=lambda: stage.seconds)
    with pytest.raises(Refused, match="another run took this handover over"):
        run(context, HandoverRequest(Runtime.WORKER, TIMEOUT, execute=True), terminal)
    assert stage.enabled == []
    assert stage.world.handover_claims.read() == other


def test_brokers_that_are_away_for_a_moment_are_waited_for(stage: Stage) -> None:
    stage.world.kafka.reachable = False
    waits = iter([*[False] * 3, *[True] * 1000])

    def wait(seconds: float) -> None:
        stage.pass_time(seconds)
        stage.world.kafka.reachable = next(waits)

    output = Output()
    terminal = Terminal(output, wait=wait, clock=lambda: stage.seconds)
    run(stage.context(), HandoverRequest(Runtime.WORKER, TIMEOUT, execute=True), terminal)
    assert stage.enabled == [Runtime.WORKER]


def test_an_interrupt_says_how_to_go_on(stage: Stage) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    terminal = Terminal(Output(), wait=interrupt, clock=lambda: stage.seconds)
    with pytest.raises(KeyboardInterrupt, match="run the same command again to go on, or with --to msk to go back"):
        run(stage.context(), HandoverRequest(Runtime.WORKER, TIMEOUT, execute=True), terminal)
    assert stage.world.handover_claims.read() is None
    stage.hand_over(Runtime.WORKER)
    assert stage.enabled == [Runtime.WORKER]


def calls_of(world: Callable[[], World]) -> int:
    life = Life(at=0, after=False)
    Stage(world()).hand_over(Runtime.WORKER, life)
    return life.calls


@pytest.mark.parametrize("then", Runtime)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_run_that_dies_anywhere_is_continued_in_either_direction(
    world: World,
    after: bool,  # noqa: FBT001
    then: Runtime,
) -> None:
    calls = calls_of(lambda: World(world.pool))
    assert calls > 20
    for at in range(1, calls + 1):
        stage = Stage(World(world.pool))
        with pytest.raises((DiedError, Refused, Unavailable)):
            stage.hand_over(Runtime.WORKER, Life(at, after))
        stage.pass_time(STALE_CLAIM_AFTER.total_seconds())
        last = stage.hand_over(then)[-1]
        assert stage.enabled == [then], at
        assert stage.world.choice.read() is then
        assert last.endswith("nothing to do") or stage.world.handover_claims.read() is None
