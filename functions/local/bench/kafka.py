"""What one worker does with a filled topic, against a bare consume loop over the same topic in the same run."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

from functions.adapters.log import logger
from functions.adapters.prometheus import PrometheusMeter
from functions.local.bench.memory import MemoryApp, settings
from functions.local.demo.generate import generate
from functions.local.demo.record import Row
from functions.runtimes.worker.client import consumer_settings
from functions.runtimes.worker.process import connect
from functions.runtimes.worker.worker import READ_RECORDS

PARTITIONS = 4
TOPIC = "user-login"


def values(records: int) -> list[bytes]:
    """Valid logins as JSON, repeated from a smaller seeded stream."""
    few = [record.value for record in generate(min(records, 50_000), seed=1) if isinstance(record.expected, Row)]
    return [value for number in range(records) if (value := few[number % len(few)]) is not None]


def fill(bootstrap: str, logins: list[bytes]) -> None:
    """Produce them, spread evenly."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "linger.ms": 20, "queue.buffering.max.messages": len(logins) + 1}
    )
    for number, value in enumerate(logins):
        producer.produce(TOPIC, value, b"key", number % PARTITIONS)
    producer.flush()


def consume(bootstrap: str, records: int) -> float:
    """Seconds that librdkafka, set up as the worker's, takes to hand all of them to Python, and nothing else."""
    chosen = settings(bootstrap, f"bare-{uuid4().hex[:8]}")
    consumer = Consumer(consumer_settings(chosen, {"bootstrap.servers": bootstrap}))
    began = time.perf_counter()
    consumer.assign([TopicPartition(TOPIC, number, OFFSET_BEGINNING) for number in range(PARTITIONS)])
    seen = 0
    while seen < records:
        seen += len(consumer.consume(READ_RECORDS, 1.0))
    seconds = time.perf_counter() - began
    consumer.close()
    return seconds


def settle(bootstrap: str, records: int) -> float:
    """Seconds that a worker takes from its assignment until all of them are settled, every effect on."""
    chosen = settings(bootstrap, f"bench-{uuid4().hex[:8]}").model_copy(update={"slice_seconds": 0.2})
    app = MemoryApp(chosen)
    with ThreadPoolExecutor(chosen.settle_threads) as threads:
        worker = connect(chosen, app, threads, logger(chosen), PrometheusMeter(app.pipeline.name))
        while not worker.fleet.lanes:
            worker.turn()
        began = time.perf_counter()
        while sum(position.next for position in app.ledger.positions.values()) < records:
            worker.turn()
        seconds = time.perf_counter() - began
        worker.close()
    return seconds
