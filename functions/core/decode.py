"""Bytes -> events, through pydantic.

Each value is parsed by itself, though one call over all of them joined into one JSON list looks cheaper: it is not (see
docs/decisions), and joined values could swallow their neighbours (`{...},{"a":[{` before one and `}]}` behind it),
which a record must never be able to do.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from functions.core.dead_letter import Reason, Rejection
from functions.core.pipeline import AnyPipeline

PROBLEMS_TOLD = 5


def decode(
    pipeline: AnyPipeline, values: Sequence[bytes | None]
) -> tuple[list[int], list[Any], list[int], list[Rejection]]:
    """The indexes and events of the valid records, the indexes of the tombstones, and the rejections."""
    validate = pipeline.validate
    indexes: list[int] = []
    events: list[Any] = []
    tombstones: list[int] = []
    rejections: list[Rejection] = []
    for index, value in enumerate(values):
        if value is None:
            tombstones.append(index)
            continue
        try:
            events.append(validate(value))
        except ValidationError as error:
            rejections.append(_rejection(index, error))
        else:
            indexes.append(index)
    return indexes, events, tombstones, rejections


def _rejection(index: int, error: ValidationError) -> Rejection:
    """Say what was wrong and where, but not the input itself: the dead letter holds that, and logs must not."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    undecodable = problems[0]["type"] == "json_invalid"
    told = [
        f"{'.'.join(map(str, problem['loc'])) or 'record'}: {problem['msg']}" for problem in problems[:PROBLEMS_TOLD]
    ]
    more = [f"and {len(problems) - PROBLEMS_TOLD} more"] if len(problems) > PROBLEMS_TOLD else []
    return Rejection(index, Reason.UNDECODABLE if undecodable else Reason.INVALID, "; ".join(told + more))
