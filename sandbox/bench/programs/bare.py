"""A bare librdkafka consume loop with the worker's settings, and with `validate` the loop that one writes by hand."""

from collections.abc import Callable, Sequence
from typing import Final
from uuid import uuid4

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition
from pydantic import ValidationError

from functions.pipelines.logins import Login
from functions.runtimes.worker.client import consumer_settings
from sandbox.bench.memory import settings
from sandbox.bench.programs.meter import Meter, given

READ: Final = 5000  # records in one call, like the worker


def main() -> None:
    """Read all records of a topic."""
    asked = given()
    bootstrap, topic = asked["bootstrap"], asked["topic"]
    chosen = consumer_settings(settings(bootstrap, f"bare{uuid4().hex[:8]}"), {"bootstrap.servers": bootstrap})
    consumer = Consumer(chosen)
    handle: Callable[[Sequence[Message]], int] = _validated if asked["validate"] else len
    partitions = consumer.list_topics(topic, timeout=10).topics[topic].partitions
    meter = Meter()
    meter.begin()
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
    seen = 0
    while seen < asked["records"]:
        seen += handle(consumer.consume(READ, 1.0))
    meter.end(seen)
    consumer.close()


def _validated(messages: Sequence[Message]) -> int:
    for message in messages:
        try:
            Login.model_validate_json(message.value() or b"")
        except ValidationError:
            continue
    return len(messages)


if __name__ == "__main__":
    main()
