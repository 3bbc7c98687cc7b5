"""The stage of a test: names, stores, topics, both runtimes, and the produced records."""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any, Final

from boto3 import Session
from confluent_kafka import Consumer, KafkaError, Producer, TopicPartition
from confluent_kafka import Message as Delivered

from functions.adapters.ledger import DynamoLedger
from functions.core import names
from functions.core.backoff import Backoff
from functions.core.intent import Gap
from functions.core.ports import Source
from functions.pipelines.logins import PIPELINE
from sandbox import stage as local
from sandbox.event_source.function import LambdaFunction
from sandbox.event_source.mapping import EventSourceMapping
from sandbox.event_source.retry_policy import RetryPolicy
from sandbox.event_source.source import EventSource
from tests.integration import found
from tests.integration.found import Place, StageContents
from tests.integration.records import ProducedRecord
from tests.integration.waiting import PATIENCE, eventually
from tests.integration.worker import ProbedWorker

PARTITIONS: Final = 4  # as many as the embedded broker gives
OUTPUT: Final = PIPELINE.topics[0].name
MAX_REQUEST_BYTES: Final = 8 * 2**20  # above the broker's limit, which is the effective one


@dataclass
class Stage(local.LocalStage):
    """The topics have the same names in all tests, but no other test uses them at the same time."""

    produced: dict[Place, ProducedRecord] = field(default_factory=dict)
    messages_since: dict[int, int] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def worker(self, **variables: str) -> ProbedWorker:
        """Start a worker; `variables` override those of the stage."""
        return ProbedWorker(self.environment | variables, self.folder / f"worker-{next(self._numbers)}.log")

    def event_source(
        self,
        *,
        handler: str = local.HANDLER,
        root: Path | None = None,
        variables: dict[str, str] | None = None,
        **mapping: Any,
    ) -> EventSource:
        """Return an event source for the `msk` runtime; `mapping` overrides its settings."""
        function = LambdaFunction(
            handler, self.environment | (variables or {}), task_root=root or Path.cwd(), log=self.folder / "lambda.log"
        )
        quick: dict[str, Any] = {
            "window": 0.1,
            "session_timeout": self.session_seconds,
            "retries": RetryPolicy(backoff=Backoff(initial_seconds=0.05, max_seconds=0.1)),
        }
        return EventSource(
            EventSourceMapping(PIPELINE.topic, self.group, self.broker.bootstrap, function, **quick | mapping), self.s3
        )

    def producer(self) -> Producer:
        """Return a producer that keeps the order. An idempotent one would need half a second to start."""
        return Producer({
            "bootstrap.servers": self.broker.bootstrap, "max.in.flight": 1, "linger.ms": 5,
            "message.max.bytes": MAX_REQUEST_BYTES,
        })  # fmt: skip

    def produce(self, records: Iterable[ProducedRecord], partition: int | None = None) -> None:
        """Produce to all partitions in turn, or to one of them, and record the place of each record."""
        producer = self.producer()
        for number, record in enumerate(records):
            to = number % PARTITIONS if partition is None else partition
            self.send(producer, record, to)
        assert producer.flush(PATIENCE) == 0, f"{len(producer)} records are not acknowledged"

    def produce_in_transaction(self, records: Sequence[ProducedRecord], *, commit: bool) -> None:
        """Produce in one transaction: its end uses an offset in each partition, an aborted one many."""
        producer = Producer({"bootstrap.servers": self.broker.bootstrap, "transactional.id": secrets.token_hex(4)})
        producer.init_transactions(PATIENCE)
        producer.begin_transaction()
        before = dict(self.produced)
        for number, record in enumerate(records):
            self.send(producer, record, number % PARTITIONS)
        assert producer.flush(PATIENCE) == 0
        if commit:
            producer.commit_transaction(PATIENCE)
        else:
            self.produced.clear()
            self.produced.update(before)
            producer.abort_transaction(PATIENCE)

    def send(self, producer: Producer, record: ProducedRecord, partition: int) -> None:
        """Produce one record; its place is recorded when the broker has it."""

        def noted(error: KafkaError | None, message: Delivered) -> None:
            assert error is None, error
            partition, offset = message.partition(), message.offset()
            assert partition is not None
            assert offset is not None
            self.produced[partition, offset] = record

        producer.produce(
            PIPELINE.topic, record.value, record.key, partition, noted, headers=list(record.headers) or None
        )
        producer.poll(0)

    def settled(self) -> dict[int, int]:
        """Return the next offset to settle, by partition, without partitions of which nothing is settled."""
        positions = self._ledger.positions(PIPELINE.name, PIPELINE.topic)
        return {number: position.next for number, position in positions.items() if position.next > 0}

    def ends(self) -> dict[int, int]:
        """Return the offset after the last produced record, by partition."""
        ends: dict[int, int] = {}
        for partition, offset in list(self.produced):  # a copy: other threads may produce
            ends[partition] = max(ends.get(partition, 0), offset + 1)
        return ends

    def settle(self, *running: ProbedWorker | EventSource) -> None:
        """Wait until everything is settled, and these runtimes still run."""
        eventually(lambda: self._alive(running) and self.settled() == self.ends(), self.state)

    def settle_some(self, count: int, *running: ProbedWorker | EventSource) -> None:
        """Wait until so many offsets are settled, and these runtimes still run."""
        eventually(lambda: self._alive(running) and sum(self.settled().values()) >= count, self.state)

    def gaps(self, partition: int) -> list[Gap]:
        """Return the gaps that the ledger has recorded."""
        return self._ledger.gaps(Source(PIPELINE.name, PIPELINE.topic, partition))

    def committed(self) -> dict[int, int]:
        """Return the offsets that the group has committed."""
        reader = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": self.group})
        try:
            parts = reader.committed([TopicPartition(PIPELINE.topic, n) for n in range(PARTITIONS)], timeout=PATIENCE)
            return {one.partition: one.offset for one in parts if one.offset >= 0}
        finally:
            reader.close()

    def commit(self, offset: int) -> None:
        """Commit this offset for all partitions, as Kafka's own tools would. The group must be empty."""
        tool = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": self.group})
        try:
            tool.commit(
                offsets=[TopicPartition(PIPELINE.topic, n, offset) for n in range(PARTITIONS)], asynchronous=False
            )
        finally:
            tool.close()

    def state(self) -> str:
        """Return the status, for the message of a failure."""
        logs = (f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in self.folder.glob("*.log"))
        return "\n".join([f"settled {self.settled()} of {self.ends()}", *logs])

    def message_ends(self) -> dict[int, int]:
        """Return the ends of the output topic, by partition."""
        return found.ends(self.broker.bootstrap, OUTPUT, PARTITIONS)

    def found(self) -> StageContents:
        """Return everything stored; of the messages, those after `messages_since`."""
        return StageContents(
            rows=found.rows(self.s3, self.lake),
            letters=found.letters(self.s3, self.dead_letters),
            counters=found.counters(self.dynamodb.Table(names.counters_table(self.name))),
            table={
                item["user_id"]: item
                for item in found.items(self.dynamodb.Table(names.rows_table(self.name, "last-login")))
            },
            messages=found.messages(self.broker.bootstrap, OUTPUT, PARTITIONS, self.messages_since),
        )

    @cached_property
    def _ledger(self) -> DynamoLedger:
        return DynamoLedger(
            Session().client("dynamodb"), names.ledger_table(self.name), names.counters_table(self.name)
        )

    def _alive(self, running: Sequence[ProbedWorker | EventSource]) -> bool:
        for runtime in running:
            if isinstance(runtime, ProbedWorker):
                assert runtime.running, runtime.tail()
            elif runtime.error:
                raise runtime.error
        return True
