"""Bytes as a sequence of choices: any bytes are valid, and similar bytes make similar choices."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

Option = TypeVar("Option")


@dataclass(slots=True)
class Choices:
    """When no bytes are left, the first option is chosen."""

    data: bytes
    position: int = 0

    def byte(self) -> int:
        """Return the next byte, 0 to 255; 0 if none is left."""
        self.position += 1
        return self.data[self.position - 1] if self.position <= len(self.data) else 0

    def chance(self, odds: int) -> bool:
        """Return True for one in `odds` bytes; False if none is left."""
        return self.byte() % odds == odds - 1

    def pick(self, options: Sequence[Option]) -> Option:
        """Return one of the options."""
        return options[self.byte() % len(options)]

    def chunk(self) -> bytes:
        """Return up to 255 bytes unchanged."""
        size = self.byte()
        self.position += size
        return self.data[self.position - size : self.position]

    def rest(self) -> bytes:
        """Return all remaining bytes."""
        return self.data[self.position :]
