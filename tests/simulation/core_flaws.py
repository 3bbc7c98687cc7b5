"""Flaws of the core itself, as replacements of its functions. Each one breaks one of the laws 5 to 11."""

from dataclasses import replace
from typing import Any, Final

from functions.core import erasure, evaluate, intent, narrowing, settle
from functions.core.dead_letter import Rejection
from functions.core.errors import Incomplete, Refused
from functions.core.foreign import rejection_of
from functions.core.intent import Intent, counts_of
from functions.core.keys import JsonKey, TextKey
from functions.core.plan import Effect, Plan
from functions.core.ports import Position, Stores, Suspect
from functions.core.slice import Slice

Patches = tuple[tuple[Any, str, Any], ...]

_narrowed = narrowing.narrowed
_table_spec = intent._table_spec
_plan_of = settle.Settlement._plan_of
_evaluate = settle.Settlement._evaluate


def _refuses_the_slice(effect: Effect) -> list[tuple[int, str]]:
    try:
        refusals = effect.write(effect.items)
    except Incomplete as error:
        effect.items = error.remaining
        raise
    if refusals:
        raise Refused(f"{effect.sink}: {refusals[0].detail}")
    return []


def _starts_again(effect: Effect) -> list[tuple[int, str]]:
    refusals = effect.write(effect.items)
    return [(effect.items[refusal.index].offset, f"{effect.sink}: {refusal.detail}") for refusal in refusals]


def _applies_all_again(plan: Plan) -> None:
    plan.refused = []
    for effect in plan.effects:
        plan.refused += effect.apply()


def _stores_all_letters_again(plan: Plan, stores: Stores) -> None:
    if plan.letters:
        stores.dead_letters.store(plan.letters)
        plan.letters = ()


def _counts_as_it_runs(settlement: Any, intent_: Intent, position: Position, own: Any, *rest: Any) -> Plan:
    if own is None:
        pipeline, size = settlement._pipeline, settlement._stores.ledger.counts_per_advance
        counts = (
            counts_of(pipeline, intent_.rows) if set(pipeline.row.model_fields) == set(intent_.rows.columns) else []
        )
        chunks = tuple(tuple(counts[first : first + size]) for first in range(0, len(counts), size)) or ((),)
        intent_ = replace(intent_, counts=chunks)
    return _plan_of(settlement, intent_, position, own, *rest)


def _without_memory(settlement: Any, position: Position) -> Any:
    settlement._evaluation = None
    return _evaluate(settlement, position)


def _only_exceptions(index: int, error: BaseException) -> Rejection:
    if not isinstance(error, Exception):
        raise error
    return rejection_of(index, error)


def _any_record(suspect: Suspect | None, slice_: Slice, owner: str) -> Suspect:
    narrowed = _narrowed(suspect, slice_, owner)
    if suspect is None or suspect.size > 1:
        return narrowed
    return replace(narrowed, alone=(*(other for other in suspect.alone if other != owner), owner))


def _by_event_time(sink: Any, *, ordered_by_record: bool) -> Any:
    return _table_spec(sink, ordered_by_record=False)


STOPPED_BY_A_ROW: Final[Patches] = ((Effect, "apply", _refuses_the_slice),)
FIRST_ROW_AGAIN: Final[Patches] = ((Effect, "apply", _starts_again),)
ALL_EFFECTS_AGAIN: Final[Patches] = ((Plan, "apply", _applies_all_again),)
ALL_LETTERS_AGAIN: Final[Patches] = ((Plan, "store_letters", _stores_all_letters_again),)
OWN_COUNTERS: Final[Patches] = ((settle.Settlement, "_plan_of", _counts_as_it_runs),)
EVALUATED_AGAIN: Final[Patches] = ((settle.Settlement, "_evaluate", _without_memory),)
ESCAPING_ERRORS: Final[Patches] = ((evaluate, "rejection_of", _only_exceptions),)
FORGETFUL_NARROWING: Final[Patches] = ((settle, "narrowed", lambda _, slice_, owner: _narrowed(None, slice_, owner)),)
HASTY_VERDICT: Final[Patches] = ((narrowing, "MAX_ATTEMPTS_ALONE", 1),)
WRONG_RECORD: Final[Patches] = ((settle, "narrowed", _any_record),)
NO_ACQUITTAL: Final[Patches] = ((settle, "acquitted", lambda suspect, _: suspect),)
DELETES_BY_TIME: Final[Patches] = ((intent, "_table_spec", _by_event_time),)
GUESSED_KEYS: Final[Patches] = ((JsonKey, "decode", TextKey.decode),)
ERASED_AHEAD: Final[Patches] = ((erasure, "is_behind", lambda *_: True),)
