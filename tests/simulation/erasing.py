"""Erasures while writers settle: objects behind the ledger are replaced, and nothing else may change by that.

What a run wants to replace, it has decided some events before: writers go on meanwhile.
"""

from dataclasses import dataclass, field
from datetime import date
from random import Random

from functions.adapters.memory import MemoryLake
from functions.core import erasure
from functions.core.erasure import Subject
from functions.core.intent import Intent
from functions.core.ports import Source
from tests.simulation.visits import USERS
from tests.simulation.watched import Violation

Key = tuple[Source, date, int]


@dataclass(slots=True)
class Erasures:
    """The objects as they were before any erasure, and what a run is about to replace: the object read, the new one."""

    lake: MemoryLake
    originals: dict[Key, Intent] = field(default_factory=dict)
    erased: dict[Key, list[Subject]] = field(default_factory=dict)
    pending: list[tuple[Key, Intent, Intent, Subject]] = field(default_factory=list)

    def run(self, rng: Random, source: Source, next_offset: int | None) -> int:
        """Replace what the run before has decided on, if it is still there, and decide anew; return how many it did."""
        replaced = sum(self._replace(*decided) for decided in self.pending)
        subject = Subject("", rng.choice(("user", "name")), frozenset({rng.choice(USERS)}))
        self.pending = [
            (key, intent, left, subject)
            for key, intent in self.lake.objects.items()
            if key[0] == source and key not in self.lake.damaged and erasure.is_behind(intent, next_offset)
            for left, parts in (erasure.without(intent, subject),)
            if any(parts)
        ]
        if rng.random() < 0.5:  # as one without anything in between
            replaced += sum(self._replace(*decided) for decided in self.pending)
            self.pending = []
        return replaced

    def restore(self) -> None:
        """Put the originals back for the checks. Violation: an object is not the original without what was erased."""
        for key, original in self.originals.items():
            expected = original
            for subject in self.erased[key]:
                expected = erasure.without(expected, subject)[0]
            if self.lake.objects.get(key) != expected:
                raise Violation(f"{key}: after an erasure, expected {expected}, got {self.lake.objects.get(key)}")
            self.lake.objects[key] = original

    def _replace(self, key: Key, intent: Intent, left: Intent, subject: Subject) -> bool:
        if self.lake.objects.get(key) != intent:
            return False
        self.originals.setdefault(key, intent)
        self.erased.setdefault(key, []).append(subject)
        self.lake.objects[key] = left
        return True
