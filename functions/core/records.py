"""Reads the records of a slice one by one, for a `process` that takes the whole record."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from functions.core.codecs import Decoding
from functions.core.effects import EPOCH
from functions.core.pipeline import AnyPipeline
from functions.core.record import Record
from functions.core.slice import Headers, Slice


@dataclass(frozen=True, slots=True)
class RecordReader:
    """The records of one slice."""

    pipeline: AnyPipeline
    slice_: Slice
    decoding: Decoding

    def read(self, index: int) -> Record:
        """Return record number `index`. Raises what the key codec raises."""
        slice_ = self.slice_
        return Record(
            slice_.topic,
            slice_.partition,
            slice_.offsets[index],
            _time(slice_.timestamps[index]),
            self._key(slice_.keys[index], slice_.headers[index]),
            slice_.headers[index],
        )

    def _key(self, key: bytes | None, headers: Headers) -> Any:  # noqa: ANN401 - what the codec makes of it
        pipeline = self.pipeline
        undecoded = pipeline.key_codec is None or key is None
        return key if undecoded else pipeline.key_decoder(key or b"", headers, self.decoding)


def _time(timestamp: int) -> datetime | None:
    try:
        return EPOCH + timedelta(milliseconds=timestamp)
    except OverflowError:
        return None
