"""The ports of the operator verbs. Adapters implement them; one contract suite holds for every implementation.

Every method may raise Unavailable when a store or broker does not answer, and Refused when it answers no.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, Protocol

from functions.core.acls import Acl
from functions.core.dead_letter import DeadLetter, Reason
from functions.core.effects import Count
from functions.core.intent import Gap
from functions.core.ports import DurableStop, Position, Source
from functions.core.record_place import RecordPlace
from functions.core.redrive import RedriveClaim


class LedgerListing(Protocol):
    """Reads the ledger of all partitions of a topic."""

    def positions(self, pipeline: str, topic: str) -> dict[int, Position]:
        """Return the ledger item of each partition, by its number."""

    def gaps(self, source: Source) -> Sequence[Gap]:
        """Return the offsets that settling passed without their records, in order."""


class LedgerRepair(Protocol):
    """Changes of the ledger that only operators make, each on condition that it is as the operator was shown."""

    def resume(self, source: Source, stop: DurableStop, resumed: Position) -> bool:
        """Remove the stop and write newest, accepted and window of `resumed`, and no topic ID where it has none.

        False: it is not that stop any more.
        """

    def fence(self, source: Source, stop: DurableStop) -> bool:
        """Keep every writer that has opened the position so far from advancing. False: it is not that stop any more."""

    def retract(self, source: Source, stopped: Position, counts: Sequence[Count]) -> bool:
        """Subtract the counts of the last step that is done, and go back to the step before, in one transaction.

        False, and nothing changed: the position is not at (next, step, fence, stop) of `stopped` any more.
        """

    def rewind(self, source: Source, position: Position, to: int, gaps: Sequence[Gap]) -> bool:
        """Move back to `to`, keep `newest` only, fence, and forget `gaps` from `to` on.

        False: the position is not at (next, step, fence, stop) of `position` any more; then it has not moved, and only
        the gaps beyond the number that fits one transaction may be forgotten.
        """


class LetterEntry(NamedTuple):
    """A dead letter in a listing. `day` is that of the record's timestamp, `stored` when the letter was written."""

    key: str
    reason: str
    day: str
    place: RecordPlace
    stored: datetime


class DeadLetterArchive(Protocol):
    """Lists and reads the dead letters of one pipeline."""

    def entries(self, reason: Reason | None = None, day: str | None = None) -> Iterator[LetterEntry]:
        """List all letters, or those of a reason, of a day (YYYY-MM-DD), or of both."""

    def entries_of(self, place: RecordPlace) -> Sequence[LetterEntry]:
        """List the letters of one record: usually one, two if another release rejected it for another reason."""

    def read(self, entry: LetterEntry) -> DeadLetter:
        """Read a letter. Corrupt if it does not exist or is not a dead letter."""


class ClaimStore(Protocol):
    """The redrive claims of one pipeline."""

    def all(self) -> dict[RecordPlace, RedriveClaim]:
        """Return every claim, by the place of its record."""

    def put(self, claim: RedriveClaim, expected: RedriveClaim | None) -> bool:
        """Store a claim if the stored one has the owner and state of `expected`; None expects no claim.

        False: it does not, and nothing changed. Putting a claim that is stored already returns True.
        """

    def remove(self, claim: RedriveClaim) -> bool:
        """Delete a claim if its owner and state are still those. False: they are not, and nothing changed."""


class DiscardedBatches(Protocol):
    """The objects that Lambda's event source mapping writes for batches that it gave up on."""

    def keys(self) -> Iterator[str]:
        """List the objects."""

    def read(self, key: str) -> bytes:
        """Return an object's content; empty if it does not exist any more."""


class LakeListing(Protocol):
    """Lists lake objects without reading them."""

    def offsets(self, source: Source, day: date, first: int, last: int) -> Sequence[int]:
        """Return the offsets in [first, last] that have an object of that day, in order."""


class LakeObject(NamedTuple):
    """A lake object as it is stored. `url` says where, `tag` identifies it among all objects that were ever there.

    `problem`: why this release cannot roll it forward; None if it can. `counts`: those of its intent, by transaction,
    as far as they can be read.
    """

    url: str
    tag: str
    content: bytes
    problem: str | None
    counts: tuple[tuple[Count, ...], ...] | None


class LakeQuarantine(Protocol):
    """Sets lake objects aside."""

    def read(self, source: Source, day: date, offset: int) -> LakeObject | None:
        """Return the object at (source, day, offset); None if there is none."""

    def copies(self, source: Source, day: date, offset: int) -> Sequence[str]:
        """Return the addresses of the copies of objects that were set aside at (source, day, offset)."""

    def copy(self, source: Source, day: date, offset: int, content: bytes) -> str:
        """Copy content to a place that its digest determines, verify the copy, and return its address.

        Nothing is replaced: a copy of the same content is used. Corrupt if what is there is not the content.
        """

    def delete(self, source: Source, day: date, offset: int, tag: str) -> bool:
        """Delete the object if it has this tag; return whether it is gone. False: there is another one."""


class LogBounds(NamedTuple):
    """A partition's log holds [low, high). `high` excludes what open transactions have not committed."""

    low: int
    high: int


class GroupMember(NamedTuple):
    """A member of a consumer group: its client ID, its host, and the partitions of the topic that it has."""

    client: str
    host: str
    partitions: tuple[int, ...]


class Brokers(Protocol):
    """What the brokers know of a topic and of the pipeline's consumer group, without joining the group."""

    def partitions(self, topic: str) -> Sequence[int]:
        """Return the numbers of a topic's partitions; Refused if there is no such topic."""

    def topic_id(self, topic: str) -> str | None:
        """Return the topic's ID, which one created again does not share; None where brokers do not report it."""

    def bounds(self, topic: str, partitions: Iterable[int]) -> dict[int, LogBounds]:
        """Return where each partition's log begins and ends."""

    def first_newer(self, topic: str, partition: int, timestamp: int) -> int | None:
        """Return the first offset whose record is newer than `timestamp` (ms); None if there is none."""

    def committed(self, topic: str, partitions: Iterable[int]) -> dict[int, int]:
        """Return the group's committed offsets; partitions without a commit are left out."""

    def has_members(self) -> bool:
        """Return whether the group has members: a worker, or Lambda's mapping."""

    def members(self) -> Sequence[GroupMember]:
        """Return the group's members, in the order of their partitions."""

    def commit(self, topic: str, partition: int, offset: int) -> None:
        """Commit an offset for the group; Refused while it has members."""


class OutgoingRecord(NamedTuple):
    """A record to send to `partition`; `place` is where it came from."""

    place: RecordPlace
    partition: int
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


@dataclass(slots=True)
class SendResult:
    """The records that the brokers acknowledged, those that they refused for good, and those without an answer."""

    acknowledged: list[RecordPlace] = field(default_factory=list)
    refused: dict[RecordPlace, str] = field(default_factory=dict)
    unknown: dict[RecordPlace, str] = field(default_factory=dict)


class RecordSender(Protocol):
    """Sends records to given partitions of a topic."""

    def send(self, topic: str, records: Sequence[OutgoingRecord]) -> SendResult:
        """Return when all records are answered, or the time is up. Each partition gets its records in this order."""


class RedrivenSearch(Protocol):
    """Searches the log for records of earlier redrives."""

    def search(self, since: Collection[RecordPlace]) -> set[RecordPlace]:
        """Return the places that records at or after `since` were redriven from.

        Reads each partition from its lowest place in `since` to its end, uncommitted records included.
        """


class TrafficHistory(Protocol):
    """How many records a pipeline settled, on both runtimes together."""

    def hourly(self, begin: datetime, end: datetime) -> dict[datetime, float]:
        """Return the records of each hour in [begin, end), by its begin; hours without any may be missing."""


class AccessControl(Protocol):
    """The ACLs of a Kafka cluster that allow a user something by a resource's full name, from any host.

    All others (denials, prefixes, hosts, other kinds of principals) are never seen and never changed.
    """

    def user(self) -> str:
        """Return the SCRAM user of this connection; Refused if it authenticates in another way."""

    def acls(self) -> Collection[Acl]:
        """Return the cluster's ACLs."""

    def create(self, acls: Collection[Acl]) -> None:
        """Create ACLs. Those that exist already are no error."""

    def delete(self, acls: Collection[Acl]) -> None:
        """Delete ACLs. Those that do not exist are no error."""
