"""What the verification of a run came to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """Counts of records unless said otherwise. `problems` tells the first few of each kind."""

    records_in: int
    rows_in_lake: int
    dead_letters: int
    dead_letters_by_reason: dict[str, int]
    dropped: int
    missing: int
    duplicates: int
    wrong: int  # a row or dead letter that differs from what it must be, or that nothing was produced for
    counters_match: bool
    table_match: bool
    topic_unique_match: bool
    announcements_match: bool  # the queue spoke of every dead letter, and of nothing else
    topic_repeated: int  # messages that came more than once, which a topic sink may
    problems: tuple[str, ...]

    @property
    def exact(self) -> bool:
        """Nothing lost, nothing doubled, nothing miscounted."""
        matches = (self.counters_match, self.table_match, self.topic_unique_match, self.announcements_match)
        return all(matches) and not (self.missing or self.duplicates or self.wrong)
