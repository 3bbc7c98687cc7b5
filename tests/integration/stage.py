"""A stage of its own for a test: names, stores, topics, both runtimes, and what was produced for them."""

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
from functions.core.ports import Gap, Source
from functions.local import stage as local
from functions.local.event_source.function import Function
from functions.local.event_source.mapping import Mapping
from functions.local.event_source.patience import Patience
from functions.local.event_source.source import EventSource
from functions.pipelines.logins import PIPELINE
from tests.integration import found
from tests.integration.found import Found, Place
from tests.integration.records import Record
from tests.integration.waiting import eventually
from tests.integration.worker import WorkerProcess

PARTITIONS: Final = 4  # as many as the embedded broker gives
OUTPUT: Final = PIPELINE.topics[0].name
LARGEST: Final = 8 * 2**20  # bytes of a request: the broker's own limit is what decides


@dataclass
class Stage(local.Stage):
    """The topics, which have one name for all tests, the test has to itself."""

    produced: dict[Place, Record] = field(default_factory=dict)
    messages_since: dict[int, int] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def worker(self, **variables: str) -> WorkerProcess:
        """Start one; `variables` override those of the stage."""
        return WorkerProcess(self.environment | variables, self.folder / f"worker-{next(self._numbers)}.log")

    def event_source(
        self,
        *,
        handler: str = local.HANDLER,
        root: Path | None = None,
        variables: dict[str, str] | None = None,
        **mapping: Any,
    ) -> EventSource:
        """The `msk` runtime behind a mapping with these settings."""
        function = Function(
            handler, self.environment | (variables or {}), task_root=root or Path.cwd(), log=self.folder / "lambda.log"
        )
        quick: dict[str, Any] = {
            "window": 0.1,
            "session_timeout": self.session_seconds,
            "patience": Patience(backoff=Backoff(first=0.05, most=0.1)),
        }
        return EventSource(
            Mapping(PIPELINE.topic, self.group, self.broker.bootstrap, function, **quick | mapping), self.s3
        )

    def producer(self) -> Producer:
        """One that keeps the order; not an idempotent one, which would take half a second to begin."""
        return Producer({
            "bootstrap.servers": self.broker.bootstrap, "max.in.flight": 1, "message.max.bytes": LARGEST, "linger.ms": 5
        })  # fmt: skip

    def produce(self, records: Iterable[Record], partition: int | None = None) -> None:
        """Produce, dealing to the partitions by turns or into one of them, and note where each record lies."""
        producer = self.producer()
        for number, record in enumerate(records):
            to = number % PARTITIONS if partition is None else partition
            self.send(producer, record, to)
        assert producer.flush(30) == 0, f"{len(producer)} records are not acknowledged"

    def produce_in_transaction(self, records: Sequence[Record], *, commit: bool) -> None:
        """One transaction over all partitions: its end leaves an offset without a record in each, an abort many."""
        producer = Producer({"bootstrap.servers": self.broker.bootstrap, "transactional.id": secrets.token_hex(4)})
        producer.init_transactions(10)
        producer.begin_transaction()
        before = dict(self.produced)
        for number, record in enumerate(records):
            self.send(producer, record, number % PARTITIONS)
        assert producer.flush(10) == 0
        if commit:
            producer.commit_transaction(10)
        else:
            self.produced.clear()
            self.produced.update(before)
            producer.abort_transaction(10)

    def send(self, producer: Producer, record: Record, partition: int) -> None:
        """Produce one record; it is noted when the broker has it."""

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
        """The next offset to settle, by partition, of those that were ever opened."""
        return {number: at.next for number, at in self._ledger.positions(PIPELINE.name, PIPELINE.topic).items()}

    def ends(self) -> dict[int, int]:
        """The offset behind the last record that was produced, by partition."""
        ends: dict[int, int] = {}
        for partition, offset in list(self.produced):  # at once: others may produce meanwhile
            ends[partition] = max(ends.get(partition, 0), offset + 1)
        return ends

    def settle(self, *running: WorkerProcess | EventSource) -> None:
        """Wait until everything is settled, while these runtimes go on running."""
        eventually(lambda: self._alive(running) and self.settled() == self.ends(), self.state)

    def settle_some(self, count: int, *running: WorkerProcess | EventSource) -> None:
        """Wait until so many offsets are settled."""
        eventually(lambda: self._alive(running) and sum(self.settled().values()) >= count, self.state)

    def gaps(self, partition: int) -> list[Gap]:
        """What the ledger has recorded."""
        return self._ledger.gaps(Source(PIPELINE.name, PIPELINE.topic, partition))

    def committed(self) -> dict[int, int]:
        """What the group has committed."""
        reader = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": self.group})
        try:
            parts = reader.committed([TopicPartition(PIPELINE.topic, n) for n in range(PARTITIONS)], timeout=10)
            return {one.partition: one.offset for one in parts if one.offset >= 0}
        finally:
            reader.close()

    def commit(self, offset: int) -> None:
        """Commit this offset for all partitions, as a person with Kafka's own tools would. The group must be empty."""
        tool = Consumer({"bootstrap.servers": self.broker.bootstrap, "group.id": self.group})
        try:
            tool.commit(
                offsets=[TopicPartition(PIPELINE.topic, n, offset) for n in range(PARTITIONS)], asynchronous=False
            )
        finally:
            tool.close()

    def state(self) -> str:
        """For the message of a failure."""
        logs = (f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in self.folder.glob("*.log"))
        return "\n".join([f"settled {self.settled()} of {self.ends()}", *logs])

    def message_ends(self) -> dict[int, int]:
        """How far the output topic reaches."""
        return found.ends(self.broker.bootstrap, OUTPUT, PARTITIONS)

    def found(self) -> Found:
        """Everything that the stores hold; of the messages, those after `messages_since`."""
        return Found(
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

    def _alive(self, running: Sequence[WorkerProcess | EventSource]) -> bool:
        for one in running:
            if isinstance(one, WorkerProcess):
                assert one.running, one.said()
            elif one.error:
                raise one.error
        return True
