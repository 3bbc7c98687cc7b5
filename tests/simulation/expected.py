"""What a move of the ledger should have done: worked out from the log and the author's release alone."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from tests.simulation.releases import Release, Shape, Terms
from tests.simulation.visits import FUTURE_MS, Entry, Row
from tests.simulation.watched import Move

RecordId = tuple[int, int]  # partition, offset
Order = tuple[int, int, int, int]  # time in microseconds, offset, partition, number of the row
Counts = Counter[tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """The newest row of a key in a slice, or its deletion: `entry` has a row or not."""

    key: str
    order: Order
    entry: Entry


@dataclass(frozen=True, slots=True)
class Settlement:
    """A move, its records, and those of them that were set aside as lethal."""

    partition: int
    move: Move
    entries: Sequence[Entry]
    set_aside: frozenset[int]

    @property
    def release(self) -> Release:
        """The release that decides what the slice does."""
        return self.move.author

    @property
    def shape(self) -> Shape:
        return self.release.shape

    @property
    def kept(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.offset not in self.set_aside]

    @property
    def rows(self) -> list[tuple[Entry, Row]]:
        return [(entry, entry.row) for entry in self.kept if entry.row]

    @property
    def deletes(self) -> list[Entry]:
        return [entry for entry in self.kept if entry.delete]

    @property
    def rejects(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.rejected or entry.offset in self.set_aside]

    def columns(self) -> Mapping[str, list[Any]]:
        """Return the columns of the rows."""
        rows = [self.shape.columns(row) for _, row in self.rows]
        names = list(rows[0]) if rows else list(self.shape.model.model_fields)
        return {name: [row[name] for row in rows] for name in names}

    def counts(self) -> Counts:
        """Return what the counters should have grown by."""
        counts: Counts = Counter()
        for _, row in self.rows:
            columns = self.shape.columns(row)
            for name, by, every in self.shape.counters:
                group = "&".join(f"{field}={columns[field]}" for field in by)
                counts[name, group, row.seconds // every * every] += 1
        return counts

    def candidates(self, terms: Terms) -> list[Candidate]:
        """Return the newest row or delete of each key. With deletes, the record that was written last wins."""
        changes = [entry for entry in self.kept if entry.row or entry.delete]
        sane = (entry.timestamp if entry.timestamp < FUTURE_MS else -1 for entry in changes)
        times = accumulate(sane, max, initial=self.move.clock)
        next(times)
        best: dict[str, Candidate] = {}
        for entry, time in zip(changes, times, strict=True):
            age = time * 1000 if terms.deletes or not entry.row else entry.row.seconds * 1_000_000
            for key in (entry.row.user if entry.row else None, entry.delete):
                candidate = Candidate(key or "", (age, entry.offset, self.partition, 0), entry)
                if key and (key not in best or best[key].order < candidate.order):
                    best[key] = candidate
        return list(best.values())
