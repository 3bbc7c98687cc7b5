"""The plan of a redrive: which records it would send, by what the ledger and the claims say of them.

Law: of each partition, nothing is sent before an earlier record that another redrive is sending, so that the records of
a key stay in order whoever sends them.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from functions.core.record_place import RecordPlace
from functions.core.redrive import ClaimState, RedriveClaim

STALE_CLAIM_AFTER: Final = timedelta(minutes=5)  # a claim that is `sending` for longer is of a redrive that died

Candidate = tuple[RecordPlace, RedriveClaim | None]  # a record, and its claim as it was when the plan was made


@dataclass(slots=True)
class RedrivePlan:
    """The records to send, in order, and how many are left out for which reason."""

    send: list[Candidate] = field(default_factory=list)
    unfinished: list[RedriveClaim] = field(default_factory=list)  # claimed by a redrive that died
    redriven: int = 0  # sent by an earlier redrive
    discarded: int = 0
    in_progress: int = 0  # another redrive is sending them now
    behind: int = 0  # of the same partition as one in progress, and after it
    unsettled: int = 0  # the ledger has not passed them, so they will be read again


def plan(
    places: Iterable[RecordPlace],
    claims: Mapping[RecordPlace, RedriveClaim],
    is_settled: Callable[[RecordPlace], bool],
    now: datetime,
    *,
    include_redriven: bool = False,
) -> RedrivePlan:
    """Return the plan. `include_redriven` sends what was, or may have been, sent before, and what was discarded."""
    result = RedrivePlan()
    held: set[tuple[str, int]] = set()
    for place in sorted(set(places)):
        claim, partition = claims.get(place), (place.topic, place.partition)
        if not is_settled(place):
            result.unsettled += 1
        elif claim is not None and claim.state is ClaimState.SENDING and now - claim.claimed_at < STALE_CLAIM_AFTER:
            result.in_progress += 1
            held.add(partition)
        elif claim is not None and claim.state is not ClaimState.SENDING and not include_redriven:
            result.redriven += claim.state is ClaimState.SENT
            result.discarded += claim.state is ClaimState.DISCARDED
        elif partition in held:
            result.behind += 1
        elif claim is None or include_redriven:
            result.send.append((place, claim))
        else:
            result.unfinished.append(claim)
    return result
