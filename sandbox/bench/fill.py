"""Filling a topic of the benchmark."""

from collections.abc import Sequence

from confluent_kafka import KafkaError, Producer


def fill(bootstrap: str, topic: str, values: Sequence[bytes], partitions: int) -> None:
    """Produce the records, evenly over the partitions."""
    producer = Producer({
        "bootstrap.servers": bootstrap, "linger.ms": 20, "message.max.bytes": 2 * 2**20,
        "queue.buffering.max.messages": 0, "queue.buffering.max.kbytes": 2**20,
    })  # fmt: skip
    refused: list[str] = []

    def delivered(error: KafkaError | None, _: object) -> None:
        if error is not None:
            refused.append(error.str())

    for number, value in enumerate(values):
        producer.produce(topic, value, b"key", number % partitions, on_delivery=delivered)
        if not number % 10_000:
            producer.poll(0)
    producer.flush()
    if refused:
        raise RuntimeError(f"{len(refused)} records could not be produced: {refused[0]}")
