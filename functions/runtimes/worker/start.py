"""Where to read a partition from when it is assigned: the ledger decides, and not the commit."""

from confluent_kafka import Consumer, KafkaException, TopicPartition

from functions.core.errors import OffsetsWentBack
from functions.core.pipeline import Start
from functions.core.ports import Position

TIMEOUT = 10.0  # seconds for each question to the brokers


def offset(consumer: Consumer, at: TopicPartition, position: Position | None, start: Start) -> int:
    """The first offset to read. Raises OffsetsWentBack when the log ends before it."""
    low, high = consumer.get_watermark_offsets(at, timeout=TIMEOUT)
    if position is not None:
        if position.next > high:
            raise _went_back(at, f"the ledger has settled offsets before {position.next}", high)
        # What has expired unsettled shows as a gap. The last settled record is read again, for settling to see that it
        # is still the same: a log that was recreated and has outgrown the ledger betrays itself there and nowhere else.
        return max(position.next - (position.newest >= 0), low)
    committed = consumer.committed([at], timeout=TIMEOUT)[0]
    if committed.error is not None:
        raise KafkaException(committed.error)  # not to be taken for a group that has never committed
    if committed.offset > high:
        raise _went_back(at, f"the group has committed {committed.offset}", high)
    if committed.offset >= 0:
        return max(committed.offset, low)
    return low if start is Start.EARLIEST else high


def _went_back(at: TopicPartition, known: str, high: int) -> OffsetsWentBack:
    return OffsetsWentBack(
        f"{at.topic}-{at.partition}: {known}, the log ends at {high}. "
        "Was the topic recreated or the cluster restored? Rewind it on purpose to go on"
    )
