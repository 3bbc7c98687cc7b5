"""Where a record lies, as operators write it: `TOPIC/PARTITION/OFFSET`."""

from typing import NamedTuple


class Place(NamedTuple):
    """One offset of one partition. Sorts by topic, partition, offset."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


def parse(text: str) -> Place:
    """The place that `str` wrote; ValueError for anything else."""
    topic, *numbers = text.split("/")
    if not topic or len(numbers) != 2 or not all(n.isascii() and n.isdecimal() for n in numbers):  # noqa: PLR2004
        raise ValueError(f"takes TOPIC/PARTITION/OFFSET, like user-login/3/345, got {text!r}")
    return Place(topic, int(numbers[0]), int(numbers[1]))
