"""A stage in memory, and what the tests of the operator verbs put into it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from functions.adapters.memory import MemoryLake, MemoryLedger, MemoryTable, MemoryTopic
from functions.adapters.memory_eraser import (
    MemoryBatchEraser,
    MemoryLakeEraser,
    MemoryLetterEraser,
    MemoryTableEraser,
)
from functions.adapters.memory_handover import MemoryChoice, MemoryHandoverClaims, MemorySwitch
from functions.adapters.memory_kafka import MemoryAccessControl, MemoryKafka
from functions.adapters.memory_operators import (
    MemoryClaimStore,
    MemoryDeadLetterArchive,
    MemoryDiscardedBatches,
    MemoryLakeListing,
    MemoryLakeQuarantine,
    MemoryLedgerListing,
    MemoryLedgerRepair,
)
from functions.adapters.traffic_history import MemoryTraffic
from functions.core.dead_letter import DeadLetter, Reason
from functions.core.erase_ports import ErasureStores
from functions.core.handover_ports import Runtime
from functions.core.intent import Cover, Gap
from functions.core.ports import DurableStop, Opening, Position, Source, StopReason
from functions.core.record_place import RecordPlace
from functions.core.stops import milliseconds
from functions.operate.context import OperatorContext
from functions.operate.redrive.claims import Claims
from functions.pipelines.logins import PIPELINE
from tests.intents import intent_with

TOPIC: Final = "user-login"
MASK_KEY: Final = b"0123456789abcdef"
NOW: Final = datetime(2026, 11, 23, 12, tzinfo=UTC)
LETTER: Final = DeadLetter(
    "logins", TOPIC, 3, 345, 1_795_440_410_000, b"user-1", b'{"a": 1}', [("trace", b"1"), ("trace", None)],
    Reason.REJECTED, "ip: expected an address", "",
)  # fmt: skip


def letter(offset: int, **changes: Any) -> DeadLetter:
    return replace(LETTER, offset=offset, **changes)


def source(partition: int, topic: str = TOPIC) -> Source:
    return Source(PIPELINE.name, topic, partition)


@dataclass
class Clock:
    """The time, which passes when a test says so."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


@dataclass
class World:
    """The twins of every store and of the brokers, and the context that the verbs get."""

    pool: ThreadPoolExecutor
    clock: Clock = field(default_factory=Clock)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    lake: MemoryLake = field(default_factory=MemoryLake)
    claims: MemoryClaimStore = field(default_factory=MemoryClaimStore)
    discarded: MemoryDiscardedBatches = field(default_factory=MemoryDiscardedBatches)
    kafka: MemoryKafka = field(default_factory=MemoryKafka)
    access: MemoryAccessControl = field(default_factory=MemoryAccessControl)
    switches: dict[Runtime, MemorySwitch] = field(
        default_factory=lambda: {Runtime.MSK: MemorySwitch(enabled=True), Runtime.WORKER: MemorySwitch()}
    )
    handover_claims: MemoryHandoverClaims = field(default_factory=MemoryHandoverClaims)
    traffic: MemoryTraffic = field(default_factory=MemoryTraffic)
    choice: MemoryChoice = field(default_factory=MemoryChoice)
    tables: dict[str, MemoryTable] = field(
        default_factory=lambda: {sink.name: MemoryTable() for sink in PIPELINE.tables}
    )
    topics: dict[str, MemoryTopic] = field(
        default_factory=lambda: {sink.name: MemoryTopic() for sink in PIPELINE.topics}
    )

    def __post_init__(self) -> None:
        self.kafka.create_topic(TOPIC, 4)
        self.letters = MemoryDeadLetterArchive(PIPELINE.name, now=self.clock)
        self.lake_eraser = MemoryLakeEraser(self.lake, PIPELINE.name)
        self.context = OperatorContext(
            stage="test",
            pipeline=PIPELINE,
            group=f"test-{PIPELINE.name}",
            ledger=self.ledger,
            ledger_listing=MemoryLedgerListing(self.ledger),
            repair=MemoryLedgerRepair(self.ledger),
            letters=self.letters,
            claims=self.claims,
            discarded=self.discarded,
            lake=MemoryLakeListing(self.lake),
            quarantine=MemoryLakeQuarantine(self.lake),
            erasure=ErasureStores(
                letters=MemoryLetterEraser(self.letters),
                batches=MemoryBatchEraser(self.discarded),
                lake=self.lake_eraser,
                tables={
                    sink.name: MemoryTableEraser(self.tables[sink.name], sink.key_fields) for sink in PIPELINE.tables
                },
            ),
            brokers=self.kafka,
            sender=self.kafka,
            search=self.kafka,
            access=self.access,
            switches=self.switches,
            handover_claims=self.handover_claims,
            choice=self.choice,
            traffic=self.traffic,
            pool=self.pool,
            now=self.clock,
            mask_key=lambda: MASK_KEY,
        )

    def settle(
        self, partition: int, to: int, newest: int = 0, *, gap: Gap | None = None, topic: str = TOPIC
    ) -> Position:
        """Set the ledger of a partition to `to`."""
        at = self.open(partition, topic)
        end = Position(to, 0, None, newest)
        assert self.ledger.advance(source(partition, topic), at, end, (), gap)
        return end

    def open(self, partition: int, topic: str = TOPIC, owner: str = "writer") -> Position:
        """Open the position of a partition, for a pipeline with a lake."""
        opening = Opening(date(2026, 11, 1), has_object=True, owner=owner)
        return self.ledger.open(source(partition, topic), 0, 2**62, opening)[0]

    def stop(self, partition: int, reason: StopReason, *, last: int = 5999, newest: int = -1) -> DurableStop:
        """Stop a partition at a slice that begins at the ledger's offset, an hour before now."""
        position = self.ledger.positions[source(partition)]
        hour_ago = milliseconds(self.clock() - timedelta(hours=1))
        stop = DurableStop(reason, f"why {reason.value}", position.next, last, hour_ago, newest)
        self.ledger.stop(source(partition), stop)
        return stop

    def store_object(self, partition: int, day: date, offset: int) -> None:
        """Put an empty lake object."""
        cover = Cover(offset, offset, offset, 0)
        assert self.lake.put(source(partition), day, intent_with(PIPELINE.schema, cover=cover))

    def sent(self) -> list[tuple[int, Any, Any, Any]]:
        """Return (partition, key, value, headers) of everything in the topic."""
        logs = self.kafka.logs[TOPIC].items()
        return [(number, record.key, record.value, record.headers) for number, log in logs for record in log.records]

    def claim_by_another(self, place: RecordPlace, since: RecordPlace) -> None:
        """Claim a record as another redrive would."""
        assert Claims(self.claims, "another").take(place, None, since, self.clock())


@dataclass
class Output:
    """Collects what a verb says, line by line."""

    lines: list[str] = field(default_factory=list)

    def __call__(self, text: str) -> None:
        self.lines += text.splitlines()
