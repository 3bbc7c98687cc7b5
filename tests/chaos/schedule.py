"""Which faults, in which order: follows from a seed alone."""

from collections.abc import Collection
from random import Random
from typing import TYPE_CHECKING

from tests.chaos.faults import HANDOVER, KINDS, Kind

if TYPE_CHECKING:
    from tests.chaos.crew import Duty


def schedule(seed: int, count: int, names: Collection[str] = ()) -> list[Kind]:
    """`count` faults of these kinds, empty: of all; each kind once before any comes again.

    Where nothing that is left can be done by the runtime on duty, a handover comes between, which is a fault as well.
    """
    random = Random(seed)  # noqa: S311 - reproducible on purpose
    duty: Duty = "worker"
    bag: list[Kind] = []
    planned: list[Kind] = []
    while len(planned) < count:
        if not bag:
            bag = [KINDS[name] for name in KINDS if not names or name in names]
            random.shuffle(bag)
        kind = next((kind for kind in bag if kind.duty in {None, duty}), HANDOVER[duty])
        if kind in bag:
            bag.remove(kind)
        planned.append(kind)
        duty = kind.then or duty
    return planned
