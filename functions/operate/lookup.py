"""Looking in the topic itself for what a redrive that died had sent."""

from collections.abc import Collection, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from functions.core.errors import Unavailable
from functions.operate import place as places
from functions.operate.place import Place
from functions.operate.records import FROM

if TYPE_CHECKING:
    from functions.core.slice import Headers

BATCH: Final = 5000
TURN: Final = 0.2  # seconds: `consume` waits so long for a whole batch
SILENCE: Final = 30.0  # seconds without a record or an end


def redriven(connection: Mapping[str, Any], group: str, since: Collection[Place]) -> set[Place]:
    """The places that records at or after `since` say they were redriven from.

    Reads each partition from its least offset to its end, uncommitted records included: an open transaction must not
    hide what is there. `group` is for authorization only; nothing joins and nothing is committed.
    """
    begins: dict[tuple[str, int], int] = {}
    for one in since:
        begins[one[:2]] = min(begins.get(one[:2], one.offset), one.offset)
    consumer = Consumer({
        **connection, "group.id": group, "enable.auto.commit": False, "enable.partition.eof": True, "log_level": 0,
        "isolation.level": "read_uncommitted", "auto.offset.reset": "earliest",
    })  # fmt: skip
    try:
        consumer.assign([TopicPartition(topic, partition, offset) for (topic, partition), offset in begins.items()])
        return _read(consumer, len(begins))
    finally:
        consumer.close()


def _read(consumer: Consumer, partitions: int) -> set[Place]:
    ended: set[tuple[str | None, int | None]] = set()
    found: set[Place] = set()
    heard = monotonic()
    while len(ended) < partitions:
        messages = consumer.consume(BATCH, TURN)
        heard = monotonic() if messages else heard
        if monotonic() - heard > SILENCE:
            raise Unavailable(f"brokers: nothing came for {SILENCE:g} s while looking for what was sent before")
        ended |= _ends(messages)
        found |= {place for message in messages if message.error() is None for place in _sources(message)}
    return found


def _ends(messages: Sequence[Message]) -> set[tuple[str | None, int | None]]:
    ended = set()
    for message in messages:
        error = message.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - the client's own name
            raise Unavailable(f"brokers: while looking for what was sent before: {error.str()}")
        if error is not None:
            ended.add((message.topic(), message.partition()))
    return ended


def _sources(message: Message) -> list[Place]:
    try:
        headers = cast("Headers", message.headers() or ())
        return [places.parse(value.decode()) for name, value in headers if name == FROM and value]
    except (SystemError, ValueError):  # names that are not UTF-8, or a header of that name that is not ours
        return []
