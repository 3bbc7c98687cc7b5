"""One smoke run: produce, hand over in the middle, wait until everything is settled, compare, clean up.

It runs where brokers can be reached: on this machine, or in a pod of the stage's cluster. It reports by
events, one JSON object a line.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from threading import Thread
from typing import Any, Final

from functions.core.errors import Refused, Unavailable
from sandbox.demo.records import Record
from sandbox.demo.verify import Verdict, Verification
from sandbox.smoke.clean import clean
from sandbox.smoke.contents import RunContents
from sandbox.smoke.kafka import OutputReader, Sender
from sandbox.smoke.plan import SmokePlan
from sandbox.smoke.target import Target

FIRST_SHARE: Final = 0.6  # of the records, before the handover
TRICKLE: Final = 20  # records at a time, while the handover goes on
TRICKLE_SECONDS: Final = 0.5
POLL_SECONDS: Final = 1.0
STUCK_SECONDS: Final = 600.0  # an event source mapping may need minutes to begin

Event = Callable[[str, dict[str, Any]], None]


@dataclass
class Smoke:
    """A run. `hand_over` returns when another runtime has taken over; None for a run without."""

    target: Target
    plan: SmokePlan
    event: Event
    hand_over: Callable[[], None] | None = None
    keep: bool = False
    stuck_seconds: float = STUCK_SECONDS
    sender: Sender = field(init=False)

    def __post_init__(self) -> None:
        self.sender = Sender(self.target)

    def run(self) -> bool:
        """Return whether everything is exact. Unavailable if the stage does not go on, Refused if it is stopped."""
        began, output, records = datetime.now(UTC), OutputReader(self.target), self.plan.records
        contents = RunContents(self.target, self.plan, self.sender.places, began)
        self.event("begun", {"run": self.plan.run, "stage": self.target.settings.stage, "records": len(records)})
        first = int(len(records) * FIRST_SHARE)
        self.sender.send(records[:first])
        if self.hand_over is None:
            self.sender.send(records[first:])
        else:
            self._wait(first // 2)
            self._during_handover(self.hand_over, records[first:])
        self._wait(len(records))
        stored = contents.read(output.messages(self.sender.places))
        verdict = Verification(self.sender.places, stored, self.target.app.mask_key).verdict()
        is_clean = self._clean(contents, verdict)
        self.event("result", {**asdict(verdict), "exact": verdict.exact, "clean": is_clean})
        return verdict.exact and (is_clean or self.keep)

    def _clean(self, contents: RunContents, verdict: Verdict) -> bool:
        """Clean up if everything is exact, and return whether nothing is left. Otherwise keep it for a look."""
        if self.keep or not verdict.exact:
            return False
        clean(contents)
        left = contents.rows(), contents.letters(), contents.counters(), contents.table()
        return not any(left)

    def _during_handover(self, hand_over: Callable[[], None], records: Sequence[Record]) -> None:
        """Produce a few records at a time while the handover goes on, and the rest afterwards."""
        errors: list[BaseException] = []

        def handing_over() -> None:
            try:
                hand_over()
            except BaseException as error:  # noqa: BLE001 - raised below, in the thread that waits
                errors.append(error)

        self.event("handover", {})
        thread = Thread(target=handing_over, daemon=True)
        thread.start()
        sent = 0
        for end in self._trickle(thread, len(records)):
            self.sender.send(records[sent:end])
            sent = end
        thread.join()
        if errors:
            raise errors[0]
        self.event("handed over", {"during": sent})
        self.sender.send(records[sent:])

    def _trickle(self, thread: Thread, count: int) -> Iterator[int]:
        end = 0
        while thread.is_alive() and end < count - TRICKLE:
            end += TRICKLE
            yield end
            thread.join(TRICKLE_SECONDS)

    def _wait(self, count: int) -> None:
        """Return when `count` of the produced records are settled."""
        settled, moved = -1, time.monotonic()
        while (now_settled := self._settled()) < count:
            if now_settled > settled:
                settled, moved = now_settled, time.monotonic()
                self.event("settled", {"settled": settled, "produced": len(self.sender.places)})
            if time.monotonic() - moved > self.stuck_seconds:
                raise Unavailable(
                    f"{self.target.settings.stage}: nothing was settled for {self.stuck_seconds:g} s, see tandem status"
                )
            time.sleep(POLL_SECONDS)

    def _settled(self) -> int:
        """Return how many of the produced records are settled. Refused if one of their partitions is stopped."""
        positions = self.target.context.ledger_listing.positions(self.target.app.pipeline.name, self.target.source)
        mine = {partition for partition, _ in self.sender.places}
        for partition, position in positions.items():
            if position.stop and partition in mine:
                raise Refused(
                    f"partition {partition} is stopped, {position.stop.reason.value}: see tandem resume {partition}"
                )
        ends = {partition: position.next for partition, position in positions.items()}
        return sum(offset < ends.get(partition, 0) for partition, offset in self.sender.places)
