"""A small compressed batch may expand to any size in its readers. A topic can be configured to refuse it."""

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from sandbox.broker.apache import Apache

MIB = 2**20


def answer(broker: Apache, topic: str, value: bytes) -> KafkaError | None:
    """The broker's answer to a producer without its own limit."""
    producer = Producer({"bootstrap.servers": broker.bootstrap, "compression.type": "gzip", "message.max.bytes": 10**9})
    answers: list[KafkaError | None] = []
    producer.produce(topic, value, on_delivery=lambda error, _: answers.append(error))
    assert producer.flush(60) == 0
    return answers[0]


@pytest.mark.parametrize(("compression", "refused"), [("producer", False), ("uncompressed", True)])
def test_an_uncompressed_topic_refuses_records_that_expand_beyond_its_limit(
    compression: str,
    refused: bool,  # noqa: FBT001 - pytest passes parameters by name
    empty_kafka: Apache,
) -> None:
    topic = NewTopic(
        f"compression-{compression}", 1, 1, config={"compression.type": compression, "max.message.bytes": str(MIB)}
    )
    admin = AdminClient({"bootstrap.servers": empty_kafka.bootstrap})
    admin.create_topics([topic])[topic.topic].result(30)
    error = answer(empty_kafka, topic.topic, bytes(20 * MIB))
    assert (error is not None) is refused
    assert error is None or error.code() == KafkaError.MSG_SIZE_TOO_LARGE
    assert answer(empty_kafka, topic.topic, bytes(MIB // 2)) is None
