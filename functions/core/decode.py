"""Bytes -> events, through the pipeline's codec and pydantic or msgspec.

Each value is parsed in its own call. One call over all values joined into a JSON list is not cheaper (see
docs/decisions), and a value could then swallow its neighbours (`{...},{"a":[{` before one and `}]}` after it).
"""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from functions.core.codecs import Codec, Decoding, Json, hint
from functions.core.dead_letter import Reason, Rejection
from functions.core.errors import Undecodable
from functions.core.foreign import rejection_of, shortened, text_of, unreadable
from functions.core.pipeline import AnyPipeline
from functions.core.slice import Slice

MAX_REPORTED_PROBLEMS = 5


Decoded = tuple[list[int], list[Any], list[int], list[Rejection]]


def decode_slice(pipeline: AnyPipeline, slice_: Slice, decoding: Decoding) -> tuple[Slice, Decoded]:
    """Decode a slice; only its beginning if more than `slice_bytes` had to be decompressed. Returns that part, too."""
    if type(pipeline.codec) is Json:
        return slice_, decode(pipeline, slice_.values)
    return _decode_by_codec(pipeline, slice_, decoding)


def decode(pipeline: AnyPipeline, values: Sequence[bytes | None]) -> Decoded:
    """Decode JSON.

    Returns the indexes and events of the valid records, the indexes of the tombstones, and the rejections.
    """
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
            rejections.append(_rejection(index, error, pipeline.codec, value))
        except BaseException as error:  # noqa: BLE001 - a validator may raise anything: see foreign
            rejections.append(_foreign(index, error, pipeline, value))
        else:
            indexes.append(index)
    return indexes, events, tombstones, rejections


def _decode_by_codec(pipeline: AnyPipeline, slice_: Slice, decoding: Decoding) -> tuple[Slice, Decoded]:
    decoder, max_bytes = pipeline.decoder, pipeline.limits.slice_bytes
    decoded: Decoded = [], [], [], []
    indexes, events, tombstones, rejections = decoded
    for index, (value, headers) in enumerate(zip(slice_.values, slice_.headers, strict=True)):
        if decoding.inflated > max_bytes:
            return slice_.until(slice_.offsets[index - 1]), decoded
        if value is None:
            tombstones.append(index)
            continue
        try:
            events.append(decoder(value, headers, decoding))
        except ValidationError as error:
            rejections.append(_rejection(index, error, pipeline.codec, value))
        except Undecodable as error:
            rejections.append(Rejection(index, Reason.UNDECODABLE, shortened(text_of(error))))
        except BaseException as error:  # noqa: BLE001 - a codec may raise anything: see foreign
            rejections.append(_foreign(index, error, pipeline, value))
        else:
            indexes.append(index)
    return slice_, decoded


def _foreign(index: int, error: BaseException, pipeline: AnyPipeline, value: bytes) -> Rejection:
    """Describe what the library of the event's models raised, or any other code."""
    is_json = isinstance(pipeline.codec, Json)
    known = pipeline.event_kind.rejection(error, value if is_json else None)
    if known is None:
        return rejection_of(index, error)
    reason, detail = known
    looks_like = hint(pipeline.codec, value) if is_json and reason is Reason.UNDECODABLE else ""
    return Rejection(index, reason, shortened(detail) + looks_like)


def _rejection(index: int, error: ValidationError, codec: Codec, value: bytes) -> Rejection:
    """Describe what is wrong and in which field, without the input: only the dead letter may hold it, logs must not."""
    try:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
    except BaseException as second:  # noqa: BLE001 - a message may quote what is no text: see foreign
        return Rejection(index, Reason.INVALID, unreadable(second))
    undecodable = problems[0]["type"] == "json_invalid"
    descriptions = [
        f"{'.'.join(map(str, problem['loc'])) or 'record'}: {problem['msg']}"
        for problem in problems[:MAX_REPORTED_PROBLEMS]
    ]
    if len(problems) > MAX_REPORTED_PROBLEMS:
        descriptions.append(f"and {len(problems) - MAX_REPORTED_PROBLEMS} more")
    if not undecodable:
        return Rejection(index, Reason.INVALID, shortened("; ".join(descriptions)))
    looks_like = hint(codec, value) if isinstance(codec, Json) else ""
    return Rejection(index, Reason.UNDECODABLE, shortened("; ".join(descriptions)) + looks_like)
