"""A search of the topic itself for what an unfinished redrive had sent."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from functions.core.errors import Unavailable
from functions.core.record_place import RecordPlace
from functions.core.redrive import redriven_from

if TYPE_CHECKING:
    from functions.core.slice import Headers

BATCH_RECORDS: Final = 5000
POLL_SECONDS: Final = 0.2  # `consume` waits so long for a whole batch


@dataclass(frozen=True, slots=True)
class KafkaRedrivenSearch:
    """See operator_ports.RedrivenSearch.

    Uncommitted records are read too, since an open transaction must not hide what was sent. `group` is for
    authorization only: nothing joins and nothing is committed. After `silence` seconds without a record or an end of a
    partition it raises Unavailable.
    """

    connection: Callable[[], Mapping[str, Any]]
    group: str
    silence: float = 30.0

    def search(self, since: Collection[RecordPlace]) -> set[RecordPlace]:
        """See operator_ports.RedrivenSearch."""
        begins: dict[tuple[str, int], int] = {}
        for place in since:
            begins[place[:2]] = min(begins.get(place[:2], place.offset), place.offset)
        if not begins:
            return set()
        consumer = Consumer({
            **self.connection(), "group.id": self.group, "enable.auto.commit": False, "enable.partition.eof": True,
            "log_level": 0, "isolation.level": "read_uncommitted", "auto.offset.reset": "earliest",
        })  # fmt: skip
        try:
            consumer.assign([TopicPartition(topic, number, offset) for (topic, number), offset in begins.items()])
            return self._read(consumer, len(begins))
        finally:
            consumer.close()

    def _read(self, consumer: Consumer, partitions: int) -> set[RecordPlace]:
        ended: set[tuple[str | None, int | None]] = set()
        places: set[RecordPlace] = set()
        last_message = monotonic()
        while len(ended) < partitions:
            messages = consumer.consume(BATCH_RECORDS, POLL_SECONDS)
            last_message = monotonic() if messages else last_message
            if monotonic() - last_message > self.silence:
                raise Unavailable(f"brokers: no record for {self.silence:g} s while searching for what was sent before")
            ended |= _ends(messages)
            places |= {place for message in messages if message.error() is None for place in _origins(message)}
        return places


def _ends(messages: Sequence[Message]) -> set[tuple[str | None, int | None]]:
    ended = set()
    for message in messages:
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - the client's own name
            raise Unavailable(f"brokers: while searching for what was sent before: {error.str()}")
        if error is not None:
            ended.add((message.topic(), message.partition()))
    return ended


def _origins(message: Message) -> list[RecordPlace]:
    try:
        return redriven_from(cast("Headers", message.headers() or ()))[-1:]
    except SystemError:  # header names that are not UTF-8
        return []
