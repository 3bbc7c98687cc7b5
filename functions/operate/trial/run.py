"""What records become, without brokers and stores: each is evaluated alone, as both runtimes would."""

import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

from functions.adapters.memory import MemorySeen
from functions.core.dead_letter import Reason
from functions.core.dedup import repeated_offsets, seen_events
from functions.core.evaluate import Evaluation, evaluate
from functions.core.pipeline import AnyPipeline
from functions.core.ports import Clock, Schemas
from functions.core.rows import Keys
from functions.core.schema_lookup import SchemaCache
from functions.core.slice import Slice
from functions.core.stops import milliseconds, newest_timestamp
from functions.operate.input_lines import InputRecord
from functions.testing import MASK_KEY, Evaluated, result_of

REPEATED: Final = "repeats the event of an earlier line"


class Outcome(Enum):
    """What a record became. Rows: at least one row or delete."""

    ROWS = "rows"
    DROPPED = "dropped"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What the record of one line became. `reason` and `detail` say why it was rejected, or why it was dropped."""

    line: int
    outcome: Outcome
    rows: list[dict[str, Any]]
    deletes: list[Keys]
    reason: Reason | None
    detail: str


@dataclass(slots=True)
class Trial:
    """Evaluates records in turn. Of repeated events, the first in the input has effects.

    `registries`: those of the pipeline's codecs, by name. What the pipeline's code prints goes to standard error.
    """

    pipeline: AnyPipeline
    registries: Mapping[str, Schemas]
    now: Clock
    seen: MemorySeen = field(default_factory=MemorySeen)
    schemas: SchemaCache = field(default_factory=SchemaCache)

    def result(self, record: InputRecord) -> TrialResult:
        """Return what a record becomes. Raises what a registry's port raises."""
        slice_ = self._slice(record)
        schemas = self.schemas.of(self.pipeline, slice_, self.registries)
        with redirect_stdout(sys.stderr):
            evaluation = evaluate(self.pipeline, slice_, MASK_KEY, schemas)
        if self._is_repeated(evaluation):
            return TrialResult(record.line, Outcome.DROPPED, [], [], None, REPEATED)
        became = result_of(evaluation)
        return TrialResult(record.line, _outcome(became), became.rows, became.deletes, became.reason, became.detail)

    def _slice(self, record: InputRecord) -> Slice:
        offset = record.line - 1
        time = milliseconds(self.now()) if record.timestamp is None else record.timestamp
        return Slice(
            self.pipeline.topic, 0, offset, offset, [offset], [time], [record.key], [record.value], [record.headers]
        )

    def _is_repeated(self, evaluation: Evaluation) -> bool:
        dedup = self.pipeline.dedup
        if dedup is None:
            return False
        slice_ = evaluation.slice_
        newest = newest_timestamp(slice_.timestamps, self.now())
        events = seen_events(self.pipeline.name, slice_, evaluation.event_ids, -1, newest)
        return bool(repeated_offsets(events, self.seen.claim, dedup.within_ms))


def _outcome(became: Evaluated) -> Outcome:
    if became.reason is not None:
        return Outcome.REJECTED
    return Outcome.DROPPED if became.dropped else Outcome.ROWS
