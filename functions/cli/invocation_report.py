"""The report of one run of the handler, as text and as JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from functions.core.dead_letter import DeadLetter
from functions.core.pipeline import AnyPipeline
from functions.core.record_place import RecordPlace
from functions.core.settle import Settled
from functions.core.slice import Slice
from functions.operate.formatting import printable
from functions.telemetry import Attempt, fields, settled_fields


@dataclass(frozen=True, slots=True)
class InvocationReport:
    """What the handler did: an attempt for each slice, the dead letters it stored, and the error that it raised."""

    pipeline: AnyPipeline
    attempts: Sequence[Attempt]
    letters: Sequence[DeadLetter]
    error: Exception | None

    def text(self) -> str:
        """Return a line for each slice, and below it one for each reject."""
        lines = [line for attempt in self.attempts for line in (_outcome(attempt), *self._rejects(attempt.slice_))]
        others = {attempt.slice_.topic for attempt in self.attempts} - {self.pipeline.topic}
        note = f"note: {self.pipeline.name} reads topic {self.pipeline.topic}, and these records are of"
        lines += [f"{note} {topic}" for topic in sorted(others)]
        return "\n".join(map(printable, lines or ["the event has no records"]))

    def as_dict(self) -> dict[str, Any]:
        """Return the same as JSON values, with the fields of the runtime's log lines."""
        return {
            "pipeline": self.pipeline.name,
            "settled": self.error is None,
            "error": self.error and _described(self.error),
            "slices": [self._slice(attempt) for attempt in self.attempts],
        }

    def _slice(self, attempt: Attempt) -> dict[str, Any]:
        settled = settled_fields(attempt.result, attempt.seconds) if isinstance(attempt.result, Settled) else {}
        rejects = [
            {"offset": letter.offset, "reason": letter.reason.value, "detail": letter.detail}
            for letter in self._letters_of(attempt.slice_)
        ]
        error = attempt.error and _described(attempt.error)
        return fields(attempt.slice_) | settled | {"rejects": rejects, "error": error}

    def _rejects(self, slice_: Slice) -> list[str]:
        return [f"  {_place(letter)} {_reason(letter)}" for letter in self._letters_of(slice_)]

    def _letters_of(self, slice_: Slice) -> list[DeadLetter]:
        offsets = set(slice_.offsets)
        letters = {
            (letter.offset, letter.reason): letter
            for letter in self.letters
            if (letter.topic, letter.partition) == (slice_.topic, slice_.partition) and letter.offset in offsets
        }
        return sorted(letters.values(), key=lambda letter: letter.offset)


def _outcome(attempt: Attempt) -> str:
    settled = attempt.result
    if not isinstance(settled, Settled):
        return f"{attempt.slice_}: not settled: {_described(settled)}"
    counts = f"records {settled.records}, rows {settled.rows}, rejects {settled.rejected.total()}"
    already = f", settled before {settled.already_settled}" if settled.already_settled else ""
    return f"{attempt.slice_}: settled: {counts}, dropped {settled.dropped}{already}"


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _place(letter: DeadLetter) -> RecordPlace:
    return RecordPlace(letter.topic, letter.partition, letter.offset)


def _reason(letter: DeadLetter) -> str:
    return f"{letter.reason.value}: {' '.join(letter.detail.split())}"
