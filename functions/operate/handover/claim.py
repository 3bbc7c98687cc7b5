"""Holding the claim of a handover, so that two operators never switch the same pipeline at once.

Law: a run switches nothing without the claim, and shows a sign of life with each look at the world. A run that was
killed leaves its claim; after STALE_CLAIM_AFTER the next run takes it over.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from functions.core.errors import Refused
from functions.core.handover_ports import HandoverClaim, Runtime
from functions.operate.context import OperatorContext
from functions.operate.formatting import duration

STALE_CLAIM_AFTER: Final = timedelta(minutes=1)


@dataclass(slots=True)
class HeldClaim:
    """The claim of this run."""

    context: OperatorContext
    claim: HandoverClaim

    def show_life(self) -> None:
        """Renew the claim. Refused if another run has taken it over."""
        renewed = self.claim._replace(seen_at=self.context.now())
        if not self.context.handover_claims.put(renewed, self.claim):
            raise Refused("another run took this handover over, because this one showed no sign of life")
        self.claim = renewed


@contextmanager
def held_claim(context: OperatorContext, target: Runtime) -> Iterator[HeldClaim]:
    """Hold the claim of the context's pipeline. Refused while another run holds it."""
    claims, now = context.handover_claims, context.now()
    existing = claims.read()
    if existing is not None and now - existing.seen_at < STALE_CLAIM_AFTER:
        age = (now - existing.seen_at).total_seconds()
        wait = STALE_CLAIM_AFTER.total_seconds() - age
        raise Refused(
            f"a handover to {existing.target} is under way ({existing.owner}, last seen {duration(age)} ago). If it "
            f"was killed, run this again in {duration(wait)}: it goes on from there"
        )
    claim = HandoverClaim(target, f"process {os.getpid()} {secrets.token_hex(4)}", now)
    if not claims.put(claim, existing):
        raise Refused("another handover began at the same time: run this again to see how it went")
    held = HeldClaim(context, claim)
    try:
        yield held
    finally:
        claims.remove(held.claim)
