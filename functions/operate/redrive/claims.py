"""Claiming records, so that of several redrives and discards one decides about each record.

Law: the redrive that sends a record holds its claim in state `sending`, taken by a conditional write, and sets it to
`sent` once the brokers have acknowledged the record. A claim that stays `sending` was left by a redrive that died.
A discard is one such write.
"""

from dataclasses import dataclass
from datetime import datetime

from functions.core.operator_ports import ClaimStore
from functions.core.record_place import RecordPlace
from functions.core.redrive import ClaimState, RedriveClaim


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of one run, which is named by `owner`."""

    store: ClaimStore
    owner: str

    def take(
        self, place: RecordPlace, expected: RedriveClaim | None, since: RecordPlace, now: datetime
    ) -> RedriveClaim | None:
        """Claim a record whose claim is still the expected one. None: another redrive was faster."""
        times = 1 if expected is None else expected.times + (expected.state is not ClaimState.SENDING)
        claim = RedriveClaim(place, ClaimState.SENDING, times, self.owner, now, since)
        return claim if self.store.put(claim, expected) else None

    def mark_sent(self, claim: RedriveClaim) -> bool:
        """Note that the brokers acknowledged the record. False: another redrive holds the claim now."""
        return self.store.put(claim._replace(state=ClaimState.SENT), claim)

    def discard(self, place: RecordPlace, expected: RedriveClaim | None, now: datetime) -> bool:
        """Close the letters of a record whose claim is still the expected one. False: it is another one."""
        times = 0 if expected is None else expected.times
        return self.store.put(RedriveClaim(place, ClaimState.DISCARDED, times, self.owner, now, place), expected)

    def release(self, claim: RedriveClaim, expected: RedriveClaim | None) -> None:
        """Restore the claim from before `take`: the brokers will never store the record."""
        if expected is None:
            self.store.remove(claim)
        else:
            self.store.put(expected, claim)
