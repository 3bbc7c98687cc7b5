"""The order of the faults, which depends on a seed alone."""

from collections.abc import Collection
from random import Random
from typing import TYPE_CHECKING

from tests.chaos.faults import HANDOVER, KINDS, FaultKind

if TYPE_CHECKING:
    from tests.chaos.runtimes import RuntimeName


def schedule(seed: int, count: int, names: Collection[str] = ()) -> list[FaultKind]:
    """Return `count` faults of these kinds, of all if empty; each kind once before any is repeated.

    If none of those left applies to the active runtime, a handover comes first, which is a fault as well.
    """
    random = Random(seed)  # noqa: S311 - reproducible on purpose
    active: RuntimeName = "worker"
    bag: list[FaultKind] = []
    planned: list[FaultKind] = []
    while len(planned) < count:
        if not bag:
            bag = [KINDS[name] for name in KINDS if not names or name in names]
            random.shuffle(bag)
        kind = next((kind for kind in bag if kind.runtime in {None, active}), HANDOVER[active])
        if kind in bag:
            bag.remove(kind)
        planned.append(kind)
        active = kind.then or active
    return planned
