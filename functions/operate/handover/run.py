"""Handing a pipeline over from one runtime to the other.

Law: where a handover stands is read from the world (switches, group, ledger) and never remembered, so a run that was
killed anywhere is continued by the next one, in either direction. The ledger keeps effects exactly once whatever
happens in between; the order of steps keeps the time short in which both runtimes are in the group, or neither.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from functions.core import names
from functions.core.errors import Refused, TandemError
from functions.core.handover_ports import Runtime, SwitchState, SwitchStatus
from functions.operate.context import OperatorContext
from functions.operate.handover.claim import held_claim
from functions.operate.handover.policy import HandoverPolicy
from functions.operate.handover.steps import StepFailed, Steps
from functions.operate.handover.text import file_changes, state_lines
from functions.operate.status.partition_status import inspect_partitions
from functions.operate.terminal import Terminal

DEFAULT_TIMEOUT: Final = 600.0


@dataclass(frozen=True, slots=True)
class HandoverRequest:
    """What the operator asked for. `timeout`: seconds that each wait may take."""

    target: Runtime
    timeout: float = DEFAULT_TIMEOUT
    execute: bool = False


@dataclass(frozen=True, slots=True)
class HandoverResult:
    """Both runtimes before the run, whether there was something to do, and whether it was done."""

    pipeline: str
    target: Runtime
    before: Mapping[Runtime, SwitchState]
    is_needed: bool
    executed: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the result for JSON."""
        before = {
            runtime.value: {"status": each.status.value, "detail": each.detail} for runtime, each in self.before.items()
        }
        return {
            "pipeline": self.pipeline, "to": self.target.value, "before": before, "needed": self.is_needed,
            "executed": self.executed,
        }  # fmt: skip


def run(context: OperatorContext, request: HandoverRequest, terminal: Terminal) -> HandoverResult:
    """Show both runtimes, then the steps, or carry them out; return what there was to do.

    Refused when there is nothing to switch, another run is at it, or the target did not progress and all was undone.
    """
    target = request.target
    states = {runtime: context.switches[runtime].state() for runtime in Runtime}
    terminal.say("\n".join(state_lines(context.pipeline.name, states)))
    for runtime, state in states.items():
        if state.status is SwitchStatus.MISSING:
            raise Refused(f"{runtime}: {state.detail}: deploy it first, disabled (docs/handover.md)")
    if _is_done(states, target) and context.choice.read() == target:
        terminal.say(f"{target} is enabled already, and recorded: nothing to do")
        return HandoverResult(context.pipeline.name, target, states, is_needed=False, executed=False)
    if not request.execute:
        terminal.say(
            f"would: disable {target.other}, wait until the group {context.group} is empty and the ledger is still, "
            f"enable {target}, watch it progress, record it; undo all that if it does not"
        )
        terminal.say(f"to do it: tandem handover {context.pipeline.name} --to {target} --execute")
        return HandoverResult(context.pipeline.name, target, states, is_needed=True, executed=False)
    try:
        with held_claim(context, target) as held:
            _switch(context, request, Steps(context, terminal, held, request.timeout))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            "interrupted: run the same command again to go on, or with "
            f"--to {target.other} to go back. Until then nobody may read the records"
        ) from None
    terminal.say(f"{context.pipeline.name} is handed over to {target}")
    if context.stage != names.SANDBOX:
        terminal.say(file_changes(context.stage, context.pipeline.name, target))
    return HandoverResult(context.pipeline.name, target, states, is_needed=True, executed=True)


def chosen(context: OperatorContext, policy: HandoverPolicy, terminal: Terminal) -> Runtime:
    """Return the runtime that a policy chooses now, and say why."""
    states = {runtime: context.switches[runtime].state().status for runtime in Runtime}
    enabled = [runtime for runtime, status in states.items() if status is SwitchStatus.ENABLED]
    current = enabled[0] if len(enabled) == 1 else None
    partitions, error = inspect_partitions(context)
    lag = None if error else sum(each.lag or 0 for each in partitions if not each.stop)
    now = context.now()
    target = policy.choose(now, lag, current)
    terminal.say(f"{now:%H:%M}Z, lag {'unknown' if lag is None else f'{lag:,}'}: the policy chooses {target}")
    return target


def _is_done(states: dict[Runtime, SwitchState], target: Runtime) -> bool:
    return states[target].status is SwitchStatus.ENABLED and states[target.other].status is SwitchStatus.DISABLED


def _switch(context: OperatorContext, request: HandoverRequest, steps: Steps) -> None:
    target, source = request.target, request.target.other
    try:
        steps.disable(source)
        if steps.status(target) is SwitchStatus.DISABLED:
            steps.wait_until_still()
        before = steps.positions()
        steps.enable(target)
        steps.wait_for_progress(target, before)
    except StepFailed as failure:
        steps.say(f"failed: {failure}")
        _undo(steps, target)
        context.choice.write(source)
        raise Refused(f"{failure}: everything was undone, {source} is enabled again") from None
    context.choice.write(target)
    steps.say(f"recorded {target} in the stage's parameters")


def _undo(steps: Steps, target: Runtime) -> None:
    """Disable the target and enable the source again."""
    try:
        steps.disable(target)
        steps.enable(target.other)
    except (StepFailed, TandemError) as error:
        raise Refused(
            f"the handover failed, and so did its undoing: {error}. Run tandem handover --to {target.other} --execute"
        ) from None
