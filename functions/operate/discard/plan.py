"""The plan of a discard: the records whose letters it would close, by what the ledger and the claims say of them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from functions.core.record_place import RecordPlace
from functions.core.redrive import ClaimState, RedriveClaim
from functions.operate.redrive.plan import STALE_CLAIM_AFTER, Candidate


@dataclass(slots=True)
class DiscardPlan:
    """The records whose letters are discarded, in order, and how many are left out for which reason."""

    discard: list[Candidate] = field(default_factory=list)
    unfinished: int = 0  # of those: claimed by a redrive that died, so they may have been sent
    closed: int = 0  # redriven or discarded before
    in_progress: int = 0  # a redrive is sending them now
    unsettled: int = 0  # the ledger has not passed them, so they will be read again


def plan(
    places: Iterable[RecordPlace],
    claims: Mapping[RecordPlace, RedriveClaim],
    is_settled: Callable[[RecordPlace], bool],
    now: datetime,
) -> DiscardPlan:
    """Return the plan."""
    result = DiscardPlan()
    for place in sorted(set(places)):
        claim = claims.get(place)
        is_sending = claim is not None and claim.state is ClaimState.SENDING
        if not is_settled(place):
            result.unsettled += 1
        elif claim is not None and not is_sending:
            result.closed += 1
        elif claim is not None and now - claim.claimed_at < STALE_CLAIM_AFTER:
            result.in_progress += 1
        else:
            result.discard.append((place, claim))
            result.unfinished += is_sending
    return result
