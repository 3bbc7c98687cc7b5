"""What must be true after every schedule, worked out from the log alone and not by the code under test."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, NamedTuple

from pydantic_core import from_json

from functions.core.effects import SOURCE_HEADER
from tests.simulation.visits import Entry, Row
from tests.simulation.world import Move, Partition, World

Place = tuple[int, int]  # partition, offset
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Violation(Exception):  # noqa: N818 - it is what a schedule found, and no mistake of its own
    """A promise that a schedule broke."""


class Stored(NamedTuple):
    """A row that counts, and the release that evaluated it."""

    row: Row
    version: int


def check(world: World) -> None:
    """Raise Violation for the first promise that does not hold."""
    rows: dict[Place, Stored] = {}
    settled: dict[Place, Entry] = {}
    lost: dict[Place, Entry] = {}
    for partition in world.partitions:
        number = partition.source.partition
        passed = _passed(world, partition)
        for entry in partition.entries:
            (settled if entry.offset in passed else lost)[number, entry.offset] = entry
        rows |= _lake(world, partition) if world.has_lake else _due(partition, passed)
    _counters(world, rows)
    _table(world, settled, lost)
    _topic(world, rows, lost)
    _letters(world, settled, lost)


def _demand(holds: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise Violation(what)


def _moves(world: World, partition: Partition) -> list[Move]:
    """What the ledger passed, piece by piece: by the objects' covers, or by the ledger's own moves without a lake."""
    if not world.has_lake:
        return world.watched.moves.get(partition.source, [])
    covers = [cover for (source, _, _), (cover, _) in world.lake.objects.items() if source == partition.source]
    return [Move(cover.next, cover.end + 1, cover.gap) for cover in sorted(covers, key=attrgetter("next"))]


def _passed(world: World, partition: Partition) -> set[int]:
    """The offsets whose records are settled; the pieces must cover the log without holes, overlaps or secret gaps."""
    source, moves = partition.source, _moves(world, partition)
    began = world.watched.began.get(source, partition.end)
    at = began
    for move in moves:
        _demand(move.at == at, f"{source}: the log is covered up to {at}, and then from {move.at}")
        at = move.to
    _demand(at == partition.end, f"{source}: covered up to {at}, the log ends at {partition.end}")
    position = world.ledger.positions.get(source)
    _demand(
        position is None or (position.next, position.step, position.day) == (partition.end, 0, None),
        f"{source}: the ledger ends at {position}, the log at {partition.end}",
    )
    gaps = [move.gap for move in moves if move.gap]
    world.tally["gaps"] += len(gaps)
    _demand(
        world.ledger.gaps.get(source, []) == gaps, f"{source}: recorded gaps are {world.ledger.gaps}, true are {gaps}"
    )
    # What was given up on before the ledger existed is in no gap, because a gap begins where the ledger stands.
    skipped = {offset for gap in gaps for offset in range(gap.first, gap.last + 1)}
    lost = {entry.offset for entry in partition.entries if entry.offset < began or entry.offset in skipped}
    world.tally["records given up on before the ledger began"] += sum(offset < began for offset in lost)
    _demand(lost <= partition.given_up, f"{source}: lost {sorted(lost)}, given up on {sorted(partition.given_up)}")
    return {entry.offset for entry in partition.entries} - lost


def _due(partition: Partition, passed: set[int]) -> dict[Place, Stored]:
    """The rows that count without a lake, which is never simulated with two releases."""
    return {
        (partition.source.partition, entry.offset): Stored(entry.row, 1)
        for entry in partition.entries
        if entry.row and entry.offset in passed
    }


def _lake(world: World, partition: Partition) -> dict[Place, Stored]:
    """The rows in the lake: each settled record's once, and as it must be."""
    source, number, found = partition.source, partition.source.partition, dict[Place, Stored]()
    for (of, _, offset), (cover, rows) in world.lake.objects.items():
        if of != source:
            continue
        _demand(offset == cover.next, f"{source}: the object at {offset} covers from {cover.next}")
        inside = [entry for entry in partition.entries if cover.start <= entry.offset <= cover.end]
        due = [entry for entry in inside if entry.row]
        _demand(
            list(rows.offsets) == [entry.offset for entry in due],
            f"{source}: the object at {offset} holds rows of {rows.offsets}, due are {due}",
        )
        deletes = [(entry.offset, entry.timestamp, entry.key) for entry in inside if entry.delete]
        _demand(list(map(tuple, rows.deletes)) == deletes, f"{source}: the object at {offset} deletes {rows.deletes}")
        columns = zip(*(rows.columns[name] for name in ("user", "at", "page", "version")), strict=True)
        for entry, (*row, version) in zip(due, columns, strict=True):
            _demand(entry.row == tuple(row), f"{source}: the row of {entry} is {row}")
            found[number, entry.offset] = Stored(Row(*row), version)
    return found


def _counters(world: World, rows: dict[Place, Stored]) -> None:
    due: Counter[tuple[str, str, int]] = Counter()
    for (user, at, page), version in rows.values():
        seconds = int(at.timestamp())
        due["per-minute", f"page={page}&version={version}", seconds // 60 * 60] += 1
        due["per-hour", f"user={user}", seconds // 3600 * 3600] += 1
    _demand(world.ledger.counters == due, f"counters are {world.ledger.counters}, due are {due}")


def _table(world: World, settled: dict[Place, Entry], lost: dict[Place, Entry]) -> None:
    """The newest of each key. Without a lake, a batch that was given up on may have reached the table before."""
    least, most = _newest(settled), _newest(settled if world.has_lake else settled | lost)
    table = world.table.rows
    _demand(table.keys() >= least.keys(), f"the table lacks {least.keys() - table.keys()}")
    for key, found in table.items():
        order = (found.order.newest, found.order.offset, found.order.partition)
        _demand(str(key) in most, f"the table holds {found}, which was never due")
        _demand(
            least.get(str(key), order) <= order <= most[str(key)], f"the table holds {found}, due is {most[str(key)]}"
        )
        entry = (settled | lost)[found.order.partition, found.order.offset]
        row = tuple(found.row[name] for name in ("user", "at", "page")) if found.row else None
        _demand(row == entry.row, f"the table holds {found} of {entry}")


def _newest(entries: dict[Place, Entry]) -> dict[str, tuple[int, int, int]]:
    best: dict[str, tuple[int, int, int]] = {}
    for (partition, offset), entry in entries.items():
        for key, newest in _orders(entry):
            best[key] = max(best.get(key, (-1, 0, 0)), (newest, offset, partition))
    return best


def _orders(entry: Entry) -> Iterator[tuple[str, int]]:
    """What a record tells the table: the key, and its time in microseconds."""
    if entry.row:
        yield entry.row.user, int((entry.row.at - EPOCH).total_seconds()) * 1_000_000
    if entry.delete:
        yield entry.delete, entry.timestamp * 1000


def _topic(world: World, rows: dict[Place, Stored], lost: dict[Place, Entry]) -> None:
    """At least once, and the same whenever it comes. Without a lake, also of what was given up on."""
    sent: dict[Place, Any] = {}
    for message in world.topic.messages:
        ((name, source),) = message.headers
        _demand(name == SOURCE_HEADER and isinstance(source, bytes), f"{message} does not say where it comes from")
        assert isinstance(source, bytes)
        _, partition, offset = source.decode().split("/")
        place = int(partition), int(offset)
        _demand(sent.setdefault(place, message) == message, f"{place} was sent as {sent[place]} and as {message}")
    extra = sent.keys() - rows.keys()
    allowed = set[Place]() if world.has_lake else {place for place, entry in lost.items() if entry.row}
    _demand(sent.keys() >= rows.keys(), f"the topic lacks {rows.keys() - sent.keys()}")
    _demand(extra <= allowed, f"the topic holds {extra - allowed}, which are no rows")
    for place, (row, version) in rows.items():
        told = from_json(sent[place].value)
        of = told["user"], datetime.fromisoformat(told["at"]), told["page"], told["version"]
        _demand(of == (*row, version), f"{place} was sent as {told}, its row is {row}")


def _letters(world: World, settled: dict[Place, Entry], lost: dict[Place, Entry]) -> None:
    """Every reject, whole; a batch that was given up on may have stored its own before."""
    stored = {(letter.partition, letter.offset): letter for letter in world.letters.letters.values()}
    due = {place for place, entry in settled.items() if entry.rejected}
    allowed = due | {place for place, entry in lost.items() if entry.rejected}
    _demand(due <= stored.keys() <= allowed, f"dead letters are {sorted(stored)}, due are {sorted(due)}")
    for place, letter in stored.items():
        entry = (settled | lost)[place]
        _demand((letter.key, letter.value) == (entry.key, entry.value), f"{letter} is not {entry}")
