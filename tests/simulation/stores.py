"""The stores of a schedule: in-memory twins that refuse some rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic_core import from_json

from functions.adapters.memory import MemoryTable, MemoryTopic
from functions.core.effects import Message, Newest
from functions.core.ports import Refusal

Refuses = Callable[[int], bool]  # a row, by its event time in Unix seconds
REFUSED_BY_TABLES: Final[Refuses] = lambda seconds: seconds // 5 % 4 == 1  # noqa: E731
REFUSED_BY_TOPICS: Final[Refuses] = lambda seconds: seconds // 5 % 4 == 2  # noqa: E731
NOTHING: Final[Refuses] = lambda _: False  # noqa: E731


@dataclass(slots=True)
class PickyTable(MemoryTable):
    """Refuses rows by their time; never a delete."""

    refuses: Refuses = NOTHING

    def put(self, candidates: Sequence[Newest]) -> Sequence[Refusal]:
        """See ports.TableStore."""
        refused = [row.row is not None and self.refuses(_seconds(row.row)) for row in candidates]
        MemoryTable.put(self, [row for row, no in zip(candidates, refused, strict=True) if not no])
        return [Refusal(index, "too large") for index, no in enumerate(refused) if no]


@dataclass(slots=True)
class PickyTopic(MemoryTopic):
    """Refuses rows by their time."""

    refuses: Refuses = NOTHING

    def send(self, messages: Sequence[Message]) -> Sequence[Refusal]:
        """See ports.TopicWriter."""
        refused = [self.refuses is not NOTHING and self.refuses(_text_seconds(message)) for message in messages]
        self.messages.extend(message for message, no in zip(messages, refused, strict=True) if not no)
        return [Refusal(index, "too large") for index, no in enumerate(refused) if no]


def _seconds(row: Any) -> int:
    time = row["at"] if "at" in row else row["seen"]
    return int(time.timestamp())


def _text_seconds(message: Message) -> int:
    row = from_json(message.value)
    return int(datetime.fromisoformat(row["at"] if "at" in row else row["seen"]).timestamp())
