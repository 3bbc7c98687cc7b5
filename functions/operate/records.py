"""What a redrive sends: where records that were not settled as rows come from, and how they go out again."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

from functions.core.dead_letter import DeadLetter
from functions.core.slice import Headers
from functions.operate.letters import Found, Letters
from functions.operate.place import Place

FROM: Final = "tandem-redriven-from"  # topic/partition/offset of the record that this one repeats
TIMES: Final = "tandem-redrives"  # how often it has been redriven by now, as a decimal number


class Lost(NamedTuple):
    """A record as it was."""

    place: Place
    key: bytes | None
    value: bytes | None
    headers: Headers


class Source(Protocol):
    """Where lost records are kept."""

    def places(self) -> Iterator[Place]:
        """Which there are; a place may come twice."""

    def read(self, places: Sequence[Place]) -> list[Lost]:
        """Some of them, in this order."""


@dataclass(frozen=True, slots=True)
class LetterSource:
    """Records in dead letters; of two letters of one record either holds it whole."""

    letters: Letters
    chosen: dict[Place, Found]
    pool: Executor

    def places(self) -> Iterator[Place]:
        """See Source."""
        return iter(self.chosen)

    def read(self, places: Sequence[Place]) -> list[Lost]:
        """See Source. A request a letter, many side by side."""
        return list(map(lost, self.pool.map(self.letters.read, (self.chosen[place] for place in places))))


def lost(letter: DeadLetter) -> Lost:
    """The record that a letter holds."""
    return Lost(Place(letter.topic, letter.partition, letter.offset), letter.key, letter.value, letter.headers)


def headers(record: Lost, times: int) -> list[tuple[str, bytes | None]]:
    """The record's own, and what this one is. A record that had been redriven before it failed again counts on."""
    own = [(name, value) for name, value in record.headers if name not in (FROM, TIMES)]
    before = next((value for name, value in record.headers if name == TIMES), None) or b"0"
    redrives = (int(before) if before.isdigit() else 0) + times
    return [*own, (FROM, str(record.place).encode()), (TIMES, b"%d" % redrives)]
