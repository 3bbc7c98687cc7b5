"""What must be true after every schedule, derived from the log and the objects, without the code under test.

What counts is the intent: the effects of the slice at N are those that the release which put the object at N, or
without an object the release which advanced the ledger, would have on the log's records.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain
from typing import Any, NamedTuple

from pydantic_core import from_json

from functions.core.dead_letter import DeadLetter, Reason
from functions.core.effects import SOURCE_HEADER, Message, Newest
from functions.core.flood import FloodLimit
from functions.core.ports import DurableStop, StopReason
from tests.simulation.expected import Order, RecordId, Settlement
from tests.simulation.releases import Named, Release
from tests.simulation.stores import REFUSED_BY_TABLES, REFUSED_BY_TOPICS
from tests.simulation.visits import FUTURE_MS, Entry
from tests.simulation.watched import Move, Violation
from tests.simulation.world import Partition, World

MIN_ENDS_ALONE = 2  # of attempts at a record alone, before it may be set aside


class Log(NamedTuple):
    """All records by (partition, offset), and those of them that the ledger passed without settling them."""

    entries: dict[RecordId, Entry]
    lost: set[RecordId]


def check(world: World) -> None:
    """Raise Violation for the first guarantee that does not hold."""
    settlements: list[Settlement] = []
    log = Log({}, set())
    for partition in world.partitions:
        entries = {entry.offset: entry for entry in partition.history}
        log.entries.update({(partition.number, offset): entry for offset, entry in entries.items()})
        passed = _passed(world, partition, entries)
        log.lost.update((partition.number, offset) for offset in entries.keys() - passed)
        settlements += _settlements(world, partition)
        _stops(world, partition)
        _objects(world, partition, settlements)
    _lethal(world, log)
    _counters(world, settlements)
    for table in world.tables:
        _table(world, table, settlements, log)
    for name in world.topics:
        _topic(world, name, settlements, log)
    _letters(world, settlements, log)


def _require(holds: bool, problem: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not holds:
        raise Violation(problem)


def _passed(world: World, partition: Partition, entries: dict[int, Entry]) -> set[int]:
    """Return the settled offsets; the moves must cover the log without holes, overlaps or unrecorded gaps."""
    source, history = partition.source, world.histories[partition.source]
    began = offset = history.began if history.began is not None else partition.end
    for move in history.moves:
        _require(move.start == offset, f"{source}: the log is covered up to {offset}, and then from {move.start}")
        offset = move.end
    _require(offset >= partition.end, f"{source}: covered up to {offset}, the log ends at {partition.end}")
    position = world.ledger.positions[source]
    _require(
        (position.next, position.step, position.day) == (offset, 0, None),
        f"{source}: the ledger ends at {position}, the log at {partition.end}",
    )
    gaps = [move.gap for move in history.moves if move.gap]
    world.tally["gaps"] += len(gaps)
    recorded = world.ledger.gaps.get(source, [])
    _require(recorded == gaps, f"{source}: recorded gaps are {recorded}, true are {gaps}")
    # Offsets given up on before the ledger existed are in no gap, because a gap starts at the ledger's position.
    promised = history.promised if history.promised is not None else began
    skipped = {offset for gap in gaps for offset in range(gap.first, gap.last + 1)}
    lost = {offset for offset in entries if promised <= offset < began or offset in skipped}
    world.tally["records given up on before the ledger began"] += sum(offset < began for offset in lost)
    _require(lost <= partition.given_up, f"{source}: lost {sorted(lost)}, given up on {sorted(partition.given_up)}")
    return {offset for offset in entries if offset >= began} - lost


def _settlements(world: World, partition: Partition) -> list[Settlement]:
    """Return what each move settled, in order; the clock of an object is the one that its author read."""
    source, settlements = partition.source, list[Settlement]()
    history, clocks = world.histories[source], {-1}
    for original in history.moves:
        move = original
        intent = _object(world, partition, move) if move.has_object else None
        if intent is not None:
            move = replace(move, clock=intent.clock)
        _require(move.clock in clocks, f"{source}: the clock at {move.start} is {move.clock}, expected is {clocks}")
        start = move.gap.last + 1 if move.gap else move.start
        entries = [entry for entry in partition.history if start <= entry.offset < move.end]
        settlement = Settlement(partition.number, move, entries, _set_aside(world, partition, move, entries))
        clocks = {_clock_after(settlement)}
        if settlement.set_aside and not move.has_object:
            # Without an object, the record's letter may be of another writer than the one that moved the ledger.
            clocks.add(_clock_after(replace(settlement, set_aside=frozenset())))
        settlements.append(settlement)
    return settlements


def _clock_after(settlement: Settlement) -> int:
    """Return the greatest timestamp of all rows and deletes up to the end of a move."""
    changes = [*(entry for entry, _ in settlement.rows), *settlement.deletes]
    return max([settlement.move.clock, *(entry.timestamp for entry in changes if entry.timestamp < FUTURE_MS)])


def _object(world: World, partition: Partition, move: Move) -> Any:
    found = [
        intent for (source, _, offset), intent in world.lake.objects.items()
        if (source, offset) == (partition.source, move.start)
    ]  # fmt: skip
    _require(len(found) == 1, f"{partition.source}: {len(found)} objects at {move.start}")
    return found[0]


def _set_aside(world: World, partition: Partition, move: Move, entries: list[Entry]) -> frozenset[int]:
    """Return the only record of a move if it was set aside as lethal: it has a letter, and no effect."""
    if len(entries) != 1:
        return frozenset()
    (entry,) = entries
    letters = world.letters.letters
    if ("visits", "visit", partition.number, entry.offset, Reason.LETHAL.value) not in letters:
        return frozenset()
    if move.has_object:
        return frozenset({entry.offset}) if _object(world, partition, move).rejects else frozenset()
    return frozenset() if move.counts else frozenset({entry.offset})


def _stops(world: World, partition: Partition) -> None:
    """Check that each stop had its reason."""
    history = world.histories[partition.source]
    for stop in history.stops:
        match stop.reason:
            case StopReason.OFFSETS_WENT_BACK:
                redelivered = {offset for offset in partition.given_up if stop.first <= offset <= stop.last}
                justified = bool(redelivered) or partition.generation > 0
            case StopReason.CORRUPT:
                justified = history.damaged
            case StopReason.FLOOD:
                justified = _is_flood(world, partition, history.moves, stop)
        _require(justified, f"{partition.source}: without reason, {stop}")


def _is_flood(world: World, partition: Partition, moves: list[Move], stop: DurableStop) -> bool:
    """Whether some writer could have seen too many rejects: after some move, at records up to some end."""
    entries, limit = [*partition.settled, *partition.entries], world.terms.flood
    for count in range(len(moves) + 1):
        start = moves[count].start if count < len(moves) else moves[-1].end if moves else 0
        within = [entry for entry in entries if max(start, stop.first) <= entry.offset <= stop.last]
        sizes = [_most(world, partition, move) for move in moves[:count]]
        history = world.histories[partition.source]
        unaccepted = [
            (0, 0) if move.end <= history.accepted + 1 else size for move, size in zip(moves, sizes, strict=False)
        ]
        windows = [_window(world, some[reset:]) for reset in (0, *history.resets) for some in (sizes, unaccepted)]
        for end in range(1, len(within) + 1):
            rejects = sum(_is_reject(world, partition, entry) for entry in within[:end])
            if any(_exceeds(limit, *window, end, rejects) for window in windows):
                return True
    return False


def _is_reject(world: World, partition: Partition, entry: Entry) -> bool:
    """Whether a record is rejected, or may have been set aside."""
    charged = world.histories[partition.source].most_charged[entry.offset]
    return entry.rejected is not None or entry.lethal or charged >= MIN_ENDS_ALONE


def _most(world: World, partition: Partition, move: Move) -> tuple[int, int]:
    """Return the number of records of a move, and how many of them can have been rejected."""
    start = move.gap.last + 1 if move.gap else move.start
    entries = [entry for entry in partition.history if start <= entry.offset < move.end]
    return len(entries), sum(_is_reject(world, partition, entry) for entry in entries)


def _window(world: World, sizes: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the numbers of records and rejects in the last moves that have `over` records or more together."""
    records = rejects = 0
    for more_records, more_rejects in reversed(sizes):
        if records >= world.terms.flood.over:
            break
        records += more_records
        rejects += more_rejects
    return records, rejects


def _exceeds(limit: FloodLimit, records: int, rejects: int, more_records: int, more_rejects: int) -> bool:
    total, rejected = records + more_records, rejects + more_rejects
    return total >= limit.over and rejected > total * limit.ratio


def _objects(world: World, partition: Partition, settlements: list[Settlement]) -> None:
    """Check that the lake holds the intent of each move that has an object, whole, and no other object."""
    source = partition.source
    own = [settlement for settlement in settlements if settlement.partition == partition.number]
    with_object = {settlement.move.start: settlement for settlement in own if settlement.move.has_object}
    objects = {offset: intent for (owner, _, offset), intent in world.lake.objects.items() if owner == source}
    _require(objects.keys() == with_object.keys(), f"{source}: objects at {objects.keys()}, moves: {with_object}")
    for offset, intent in objects.items():
        due, cover, rows = with_object[offset], intent.cover, intent.rows
        _require(
            (cover.next, cover.end + 1, cover.gap) == (offset, due.move.end, due.move.gap),
            f"{source}: the object at {offset} covers {cover}, the ledger moved by {due.move}",
        )
        _require(
            list(rows.offsets) == [entry.offset for entry, _ in due.rows] and dict(rows.columns) == due.columns(),
            f"{source}: the object at {offset} holds {rows}, expected are {due.rows}",
        )
        deletes = [(entry.offset, entry.timestamp, entry.delete) for entry in due.deletes]
        _require(
            [(delete.offset, delete.timestamp, *set(delete.keys.values())) for delete in rows.deletes] == deletes,
            f"{source}: the object at {offset} deletes {rows.deletes}, expected are {deletes}",
        )
        counts = {(count.counter, count.group, count.bucket): count.amount for count in chain(*intent.counts)}
        _require(
            counts == due.counts() and all(len(chunk) <= world.counts_per_advance for chunk in intent.counts),
            f"{source}: the object at {offset} counts {intent.counts}, expected are {due.counts()}",
        )
        _require(
            (intent.records, intent.rejects) == (len(due.entries), len(due.rejects)),
            f"{source}: the object at {offset} has {intent.records} records, {intent.rejects} rejects",
        )
        accepted = world.histories[source].accepted
        before = [
            (0, 0) if other.move.end <= accepted + 1
            else (len(other.entries), sum(entry.rejected is not None or entry.lethal for entry in other.entries))
            for other in own[: own.index(due)]
        ]  # fmt: skip
        size = len(due.entries), len(due.rejects)
        is_accepted = due.move.end <= accepted + 1
        # What an operator loses with a recreated log is not in its history. A resumed flood begins another window, of
        # which a writer that opened before does not know.
        resets = [reset for reset in world.histories[source].resets if reset <= len(before)]
        is_flood = not partition.generation and all(
            _exceeds(world.terms.flood, *_window(world, before[reset:]), *size) for reset in (0, *resets)
        )
        _require(
            is_accepted or not is_flood,
            f"{source}: the object at {offset} is part of a flood",
        )


def _lethal(world: World, log: Log) -> None:
    """Check that only lethal records are set aside, or those at which attempts of two processes ended or stalled.

    A process that stalls at a record cannot be told from one that the record hangs, unless it returns.
    """
    for letter in world.letters.letters.values():
        if letter.reason is Reason.LETHAL and not log.entries[letter.partition, letter.offset].lethal:
            partition = next(partition for partition in world.partitions if partition.number == letter.partition)
            charged = world.histories[partition.source].most_charged[letter.offset]
            _require(
                charged >= MIN_ENDS_ALONE,
                f"{partition.source}: {letter.offset} was set aside, but {charged} attempts at it alone did not return",
            )


def _counters(world: World, settlements: list[Settlement]) -> None:
    expected: Counter[tuple[str, str, int]] = Counter()
    for settlement in settlements:
        expected.update(settlement.counts())
    _require(world.ledger.counters == expected, f"counters are {world.ledger.counters}, expected are {expected}")


def _is_strict(world: World) -> bool:
    """Whether only intents had effects: without an object, a batch that was given up on may have had some, too."""
    return all(release.has_lake for release in world.releases)


def _shaped(world: World, entry: Entry, author: Release | None) -> list[Any]:
    """Return the rows that a record may have become: its author's, or that of any release."""
    assert entry.row is not None
    releases = world.releases if author is None or not _is_strict(world) else [author]
    return [release.shape.columns(entry.row) for release in releases]


def _table(world: World, table: Named, settlements: list[Settlement], log: Log) -> None:
    """Check that the newest row of each key is there, and nothing that no intent has."""
    least: dict[str, Order] = {}
    possible: dict[RecordId, tuple[Settlement | None, Order | None]] = {}
    if not _is_strict(world):
        possible |= dict.fromkeys(log.entries, (None, None))
    for settlement in settlements:
        if table not in settlement.shape.tables:
            continue
        must = table in settlement.move.mover.shape.tables and not settlement.set_aside
        for candidate in settlement.candidates(world.terms):
            row = candidate.entry.row
            if row and world.is_picky and REFUSED_BY_TABLES(row.seconds):
                continue
            possible.setdefault((settlement.partition, candidate.entry.offset), (settlement, candidate.order))
            if must:
                least[candidate.key] = max(least.get(candidate.key, (-(10**9), 0, 0, 0)), candidate.order)
    rows = {key: row for (key,), row in world.tables[table].rows.items()}
    _require(rows.keys() >= least.keys(), f"table {table} lacks {least.keys() - rows.keys()}")
    for key, winner in rows.items():
        _winner(world, table, winner, possible, log)
        order = tuple(winner.order)
        _require(
            least.get(str(key), order) <= order, f"table {table} holds {winner}, expected is {least.get(str(key))}"
        )


def _winner(
    world: World,
    table: Named,
    winner: Newest,
    possible: dict[RecordId, tuple[Settlement | None, Order | None]],
    log: Log,
) -> None:
    record_id = winner.order.partition, winner.order.offset
    _require(record_id in possible, f"table {table} holds {winner}, which no intent has")
    settlement, order = possible[record_id]
    entry = log.entries[record_id]
    _require(order is None or tuple(winner.order) == order, f"table {table} holds {winner}, expected is {order}")
    _require(winner.key == (entry.row.user if entry.row else entry.delete,), f"table {table}: {winner} is not {entry}")
    if winner.row is None:
        _require(entry.delete is not None, f"table {table} has deleted {winner}, which is {entry}")
    else:
        shaped = _shaped(world, entry, settlement.release if settlement else None) if entry.row else []
        _require(winner.row in shaped, f"table {table} holds {winner}, expected is {shaped}")


def _topic(world: World, name: str, settlements: list[Settlement], log: Log) -> None:
    """Check that every row was sent, each time with the same content, and nothing that no intent has."""
    must, possible = set[RecordId](), dict[RecordId, Release | None]()
    if not _is_strict(world):
        possible |= dict.fromkeys((record_id for record_id, entry in log.entries.items() if entry.row), None)
    for settlement in settlements:
        is_sent = name in {topic.name for topic in settlement.shape.topics}
        by_mover = is_sent and name in {topic.name for topic in settlement.move.mover.shape.topics}
        for entry, row in settlement.rows if is_sent else ():
            if not (world.is_picky and REFUSED_BY_TOPICS(row.seconds)):
                possible.setdefault((settlement.partition, entry.offset), settlement.release)
                if by_mover:
                    must.add((settlement.partition, entry.offset))
    sent: dict[RecordId, list[Message]] = {}
    for message in world.topics[name].messages:
        sent.setdefault(_record_id(message), []).append(message)
    _require(sent.keys() >= must, f"topic {name} lacks {must - sent.keys()}")
    _require(sent.keys() <= possible.keys(), f"topic {name} holds {sent.keys() - possible.keys()}, which have no rows")
    for record_id, messages in sent.items():
        shaped = _shaped(world, log.entries[record_id], possible[record_id])
        for message in messages:
            value = from_json(message.value)
            value |= {field: datetime.fromisoformat(value[field]) for field in ("at", "seen") if field in value}
            _require(value in shaped, f"topic {name}: {record_id} was sent as {message}, expected is {shaped}")


def _record_id(message: Message) -> RecordId:
    ((name, source),) = message.headers
    _require(name == SOURCE_HEADER and isinstance(source, bytes), f"{message} has no source header")
    assert isinstance(source, bytes)
    _, _, partition, offset, _ = source.decode().split("/")
    return int(partition), int(offset)


def _letters(world: World, settlements: list[Settlement], log: Log) -> None:
    """Check that every reject is stored whole, with its reason, and no other record.

    A batch may have stored its rejects before it was given up on, and a record that one process set aside may be
    settled by another one, which was thought to have ended.
    """
    stored = {(letter.partition, letter.offset, letter.reason): letter for letter in world.letters.letters.values()}
    must, may = set[tuple[int, int, Reason]](), set[tuple[int, int, Reason]]()
    for (partition, offset), entry in log.entries.items():
        may.add((partition, offset, Reason.LETHAL))
        if entry.rejected:
            may.add((partition, offset, entry.rejected))
        if not _is_strict(world) and world.is_picky:
            may.add((partition, offset, Reason.REFUSED))
    for settlement in settlements:
        for entry in settlement.rejects:
            reason = Reason.LETHAL if entry.offset in settlement.set_aside else entry.rejected
            assert reason is not None
            must.add((settlement.partition, entry.offset, reason))
        if world.is_picky:
            may.update(_refused(world, settlement, settlement.release))
            must.update(_refused(world, settlement, settlement.move.mover))
    _require(must <= stored.keys(), f"dead letters lack {must - stored.keys()}")
    _require(stored.keys() <= may | must, f"dead letters hold {stored.keys() - may - must}")
    for (partition, offset, _), letter in stored.items():
        _letter(world, log.entries[partition, offset], letter)


def _refused(world: World, settlement: Settlement, release: Release) -> Iterable[tuple[int, int, Reason]]:
    """Yield the letters of rows that a sink of both the author's and another release refuses."""
    shape = settlement.shape
    if set(shape.tables) & set(release.shape.tables):
        for candidate in settlement.candidates(world.terms):
            if candidate.entry.row and REFUSED_BY_TABLES(candidate.entry.row.seconds):
                yield settlement.partition, candidate.entry.offset, Reason.REFUSED
    if {topic.name for topic in shape.topics} & {topic.name for topic in release.shape.topics}:
        for entry, row in settlement.rows:
            if REFUSED_BY_TOPICS(row.seconds):
                yield settlement.partition, entry.offset, Reason.REFUSED


def _letter(world: World, entry: Entry, letter: DeadLetter) -> None:
    """A letter holds the record, or for a refused row of a record that was not at hand, the row."""
    if (letter.key, letter.value) == (entry.key, entry.value):
        return
    _require(letter.reason is Reason.REFUSED and entry.row is not None, f"{letter} is not {entry}")
    value = from_json(letter.value or b"")
    value |= {field: datetime.fromisoformat(value[field]) for field in ("at", "seen") if field in value}
    _require(value in _shaped(world, entry, None), f"{letter} is not a row of {entry}")
