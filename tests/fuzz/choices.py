"""Bytes as a row of choices: whatever the bytes are, they choose something, and similar bytes choose alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

One = TypeVar("One")


@dataclass(slots=True)
class Choices:
    """Where nothing is left, the first of everything is chosen."""

    data: bytes
    at: int = 0

    def byte(self) -> int:
        """0 to 255."""
        self.at += 1
        return self.data[self.at - 1] if self.at <= len(self.data) else 0

    def chance(self, of: int) -> bool:
        """True for one byte of so many; never where nothing is left."""
        return self.byte() % of == of - 1

    def one(self, options: Sequence[One]) -> One:
        """One of them."""
        return options[self.byte() % len(options)]

    def chunk(self) -> bytes:
        """Up to 255 bytes as they are."""
        size = self.byte()
        self.at += size
        return self.data[self.at - size : self.at]

    def rest(self) -> bytes:
        """All that is left."""
        return self.data[self.at :]
