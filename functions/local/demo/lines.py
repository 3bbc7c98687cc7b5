"""The records of a file: one a line, its bytes as they stand, without the newline; empty and broken lines included."""

from pathlib import Path
from typing import Final

from functions.core.errors import Misconfigured
from functions.local.demo.record import Fate, Record

# A Lambda payload holds 6 MB, in which values are base64 (4 bytes for 3) beside the rest of the event.
LONGEST: Final = 4 * 2**20


def read(file: Path) -> list[Record]:
    """Every line; Misconfigured, in one line, for a file that cannot be the demo's input."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Misconfigured(f"--input {file}: {error.strerror or error}") from None
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    if not lines:
        raise Misconfigured(f"--input {file}: is empty, takes one event a line")
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST:
            raise Misconfigured(
                f"--input {file}: line {number} has {len(line):,} bytes, a Lambda payload takes {LONGEST:,}"
            )
    return [Record(None, line, (), Fate.ONE) for line in lines]
