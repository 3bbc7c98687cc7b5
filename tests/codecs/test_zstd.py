"""Zstandard: bytes of the package's encoder, damaged frames, and bombs."""

from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from functions.codecs.zstd import Zstd
from functions.core.codecs import Raw
from functions.core.compression import ByHeader, Gzip
from tests.codecs.framed import detail, evaluated
from tests.unit.core.clicks import click, pipeline

GOOD = click().encode()
ENCODER = zstandard.ZstdCompressor()


def unsized(data: bytes) -> bytes:
    """A frame without the size of its content."""
    stream = ENCODER.compressobj()
    frame: bytes = stream.compress(data) + stream.flush()
    return frame


@pytest.mark.parametrize("encode", [ENCODER.compress, unsized])
def test_a_frame_is_decompressed(encode: Any) -> None:
    large = b" " * 300_000 + b"".join(b"%d," % (n * n) for n in range(999))
    seen: list[bytes] = []
    evaluated(Zstd(Raw()), encode(large), event=bytes, process=seen.append)
    assert seen == [large]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (GOOD, "undecodable: expected zstd, got JSON"),
        (ENCODER.compress(GOOD)[:-1], "undecodable: cannot be decompressed"),
        (ENCODER.compress(GOOD) + b"x", "undecodable: cannot be decompressed"),
        (unsized(GOOD)[:-1], "undecodable: cannot be decompressed: it is truncated"),
        (unsized(GOOD) + b"x", "undecodable: cannot be decompressed: 1 bytes follow"),
        (unsized(GOOD) + b"x" * 100, "undecodable: cannot be decompressed: "),
        (unsized(GOOD)[:4], "undecodable: cannot be decompressed"),
        (ENCODER.compress(b" " * 10**8), "undecodable: expected at most 1000 bytes after decompression, got more"),
        (unsized(b" " * 10**8), "undecodable: expected at most 1000 bytes after decompression, got more"),
    ],
    ids=range(9),
)
def test_a_damaged_frame_or_a_bomb_is_rejected(value: bytes, expected: str) -> None:
    assert detail(Zstd(max_bytes=1000), value).startswith(expected)


def test_a_frame_that_wants_a_large_window_is_rejected() -> None:
    parameters = zstandard.ZstdCompressionParameters.from_level(3, window_log=27, write_content_size=False)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    value = stream.compress(GOOD) + stream.flush()
    assert "memory" in detail(Zstd(), value) or "window" in detail(Zstd(), value).lower()


def test_a_header_chooses_between_compressions() -> None:
    codec = ByHeader({"gzip": Gzip(), "zstd": Zstd()})
    assert pipeline(codec=codec).extras == ("zstd",)
    headers = [("content-encoding", b"zstd")]
    assert evaluated(codec, ENCODER.compress(GOOD), headers=headers).rows.columns["user"] == ["u"]


@given(st.binary(max_size=300), st.sampled_from([bytes, ENCODER.compress, unsized]), st.integers(0, 400))
def test_any_bytes_are_a_row_or_a_reject(data: bytes, encode: Any, cut: int) -> None:
    value = encode(data)
    for part in (value, value[:cut], b"\x28\xb5\x2f\xfd" + data):
        evaluation = evaluated(Zstd(), part)
        assert len(evaluation.rows) + len(evaluation.rejections) + evaluation.dropped == 1
        Zstd().start(part)
