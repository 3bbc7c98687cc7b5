"""The coordinates of one record, in the form that operators write: `TOPIC/PARTITION/OFFSET`."""

from typing import Final, NamedTuple

MAX_TOPIC_CHARACTERS: Final = 249  # Kafka's limit
MAX_DIGITS: Final = 19  # of a 64-bit integer


class RecordPlace(NamedTuple):
    """One offset of one partition. Sorts by topic, partition, offset."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


def parse_place(text: str) -> RecordPlace:
    """Parse what `str` of a place returned; ValueError for anything else."""
    topic, *numbers = text.split("/")
    is_place = 1 <= len(topic) <= MAX_TOPIC_CHARACTERS and len(numbers) == 2  # noqa: PLR2004
    if not is_place or not all(n.isascii() and n.isdecimal() and len(n) <= MAX_DIGITS for n in numbers):
        raise ValueError(f"expected TOPIC/PARTITION/OFFSET, like user-login/3/345, got {text!r}")
    return RecordPlace(topic, int(numbers[0]), int(numbers[1]))
