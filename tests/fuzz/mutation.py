"""Unguided inputs, as random mutations of the corpus: for every test run, and for machines without atheris."""

import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from tests.fuzz.targets import MAX_INPUT_BYTES

TOKENS: Final = (
    b"null", b"true", b"1e999", b"-1", b"1e-400", b"9223372036854775808", b'"\\ud83d"', b'"\\u0000"', b"{", b"}", b"[",
    b"]", b",", b":", b'"', b"\n", b"\xff", b"\xed\xa0\xbd", b"\xef\xbb\xbf", b"NaN", b"Infinity", b"=", b"AA==",
    b'"user_id"', b'"app_version"', b'"device_type"', b'"ip"', b'"locale"', b'"device_id"', b'"timestamp"', b'"offset"',
    b'"partition"', b'"topic"', b'"records"', b'"eventSource"', b'"headers"', b'"key"', b'"value"', b"::1", b"%",
)  # fmt: skip
MAX_CHANGES: Final = 4  # to one input


def inputs(seeds: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Yield `count` mutations of the seeds; the same arguments give the same inputs."""
    random = Random(f"{seed}/{count}")  # noqa: S311 - must be reproducible
    for _ in range(count):
        data = random.choice(seeds)
        for _ in range(random.randint(1, MAX_CHANGES)):
            data = _changed(random, data, random.choice(seeds))
        yield data[:MAX_INPUT_BYTES]


def _changed(random: Random, data: bytes, other: bytes) -> bytes:
    begin, size = random.randint(0, len(data)), random.choice((0, 1, 2, 8, 64))
    match random.randrange(6):
        case 0:
            new = random.choice(TOKENS)
        case 1:
            new = random.randbytes(random.randint(1, 4))
        case 2:
            new = b""
        case 3:
            first = random.randint(0, len(other))
            new = other[first : first + random.randint(1, 64)]
        case 4:
            new = data[begin : begin + size] * random.randint(2, 4)
        case _:
            new = json.dumps(random.choice((0, -1, 2**63, 1.5, "", "x" * 300, None, [], {}))).encode()
    return data[:begin] + new + data[begin + size :]
