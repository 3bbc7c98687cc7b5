"""What one record becomes, in one line, for the tests of a pipeline.

    assert evaluated(PIPELINE, {"order_id": "1", "cents": -5}).detail == "cents: expected an amount above 0"

It decodes, processes, checks and masks as both runtimes do. Stores take no part: nothing is counted or repeated.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final

from functions.core.dead_letter import Reason
from functions.core.effects import EPOCH
from functions.core.evaluate import Evaluation, evaluate
from functions.core.pipeline import AnyPipeline
from functions.core.registries import KnownSchemas
from functions.core.rows import Keys
from functions.core.slice import Headers, Slice

MASK_KEY: Final = b"only for tests of pipelines"
TIMESTAMP: Final = datetime(2026, 1, 1, tzinfo=UTC)

Value = bytes | Mapping[str, Any] | Sequence[Any] | None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What a record became: rows and deletes, or a reject with its reason, or nothing.

    `rows`: canonical values by field, in order; masked ones are masked under a fixed key. `deletes`: the values of the
    tables' keys, by field. `reason` is None, and `detail` and `traceback` are empty, unless the record is rejected.
    """

    rows: list[dict[str, Any]]
    deletes: list[Keys]
    reason: Reason | None
    detail: str
    traceback: str

    @property
    def dropped(self) -> bool:
        """Whether the record became neither row, delete nor reject."""
        return not (self.rows or self.deletes or self.reason)


def evaluated(  # noqa: PLR0913 - the parts of a record
    pipeline: AnyPipeline,
    value: Value,
    *,
    key: bytes | None = None,
    headers: Headers = (),
    timestamp: datetime = TIMESTAMP,
    schemas: KnownSchemas = MappingProxyType({}),
) -> Evaluated:
    """Return what a record becomes. `value`: its bytes, None, or what is written as JSON, such as a dict.

    `schemas`: what a registry has, by ID, for a codec that looks schemas up.
    """
    data = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
    time = (timestamp - EPOCH) // timedelta(milliseconds=1)
    slice_ = Slice(pipeline.topic, 0, 0, 0, [0], [time], [key], [data], [headers])
    return result_of(evaluate(pipeline, slice_, MASK_KEY, schemas))


def result_of(evaluation: Evaluation) -> Evaluated:
    """Return what the only record of a slice became."""
    rows, rejection = evaluation.rows, next(iter(evaluation.rejections), None)
    return Evaluated(
        rows=[dict(zip(rows.columns, values, strict=True)) for values in zip(*rows.columns.values(), strict=True)],
        deletes=[delete.keys for delete in rows.deletes],
        reason=rejection.reason if rejection else None,
        detail=rejection.detail if rejection else "",
        traceback=rejection.traceback if rejection else "",
    )
