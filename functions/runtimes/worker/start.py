"""Where to read a partition from when it is assigned: the ledger decides, and not the commit."""

from confluent_kafka import Consumer, TopicPartition

from functions.core.errors import OffsetsWentBack
from functions.core.pipeline import Start
from functions.core.ports import Position

TIMEOUT = 10.0  # seconds for each question to the brokers


def offset(consumer: Consumer, at: TopicPartition, position: Position | None, start: Start) -> int:
    """The first offset to read. Raises OffsetsWentBack when the log ends before what the ledger has settled."""
    low, high = consumer.get_watermark_offsets(at, timeout=TIMEOUT)
    if position is not None:
        if position.next > high:
            raise OffsetsWentBack(
                f"{at.topic}-{at.partition}: the ledger has settled offsets before {position.next}, the log ends at {high}. "
                "Was the topic recreated or the cluster restored? Rewind the ledger on purpose to go on"
            )
        return max(position.next, low)  # what has expired unsettled shows as a gap
    committed = consumer.committed([at], timeout=TIMEOUT)[0].offset
    if committed >= 0:
        return min(max(committed, low), high)
    return low if start is Start.EARLIEST else high
