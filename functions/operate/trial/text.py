"""What records become, as text and as JSON."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import to_json

from functions.core.dead_letter import Reason
from functions.operate.formatting import counted, printable
from functions.operate.trial.run import Outcome, TrialResult


def result_json(result: TrialResult) -> str:
    """Return one line of JSON. Values are those of an output topic."""
    reason = result.reason and result.reason.value
    return _json({
        "line": result.line, "outcome": result.outcome.value, "rows": result.rows, "deletes": result.deletes,
        "reason": reason, "detail": result.detail or None,
    })  # fmt: skip


def result_text(result: TrialResult) -> str:
    """Return a line that says what the record became, and one for each row and delete."""
    became = [counted(len(result.rows), "row")] if result.rows else []
    became += [counted(len(result.deletes), "delete")] if result.deletes else []
    why = ": ".join(filter(None, (result.reason and result.reason.value, " ".join(result.detail.split()))))
    outcome = ", ".join(became) or result.outcome.value
    heading = f"line {result.line}: {outcome}{f', {why}' if why else ''}"
    rows = [f"  {_json(row)}" for row in result.rows]
    return "\n".join(map(printable, [heading, *rows, *(f"  delete {_json(delete)}" for delete in result.deletes)]))


@dataclass(slots=True)
class Summary:
    """Counts results."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    reasons: Counter[Reason] = field(default_factory=Counter)
    rows: int = 0
    deletes: int = 0

    def add(self, result: TrialResult) -> None:
        """Count one result."""
        self.outcomes[result.outcome] += 1
        self.rows += len(result.rows)
        self.deletes += len(result.deletes)
        if result.reason is not None:
            self.reasons[result.reason] += 1

    def text(self) -> str:
        """Return one line."""
        reasons = ", ".join(f"{reason.value} {count}" for reason, count in sorted(self.reasons.items(), key=str))
        deletes = f", {counted(self.deletes, 'delete')}" if self.deletes else ""
        rejected = f"{self.outcomes[Outcome.REJECTED]:,} rejected{f' ({reasons})' if reasons else ''}"
        return (
            f"{counted(self.outcomes.total(), 'record')}: {counted(self.rows, 'row')}{deletes}, "
            f"{self.outcomes[Outcome.DROPPED]:,} dropped, {rejected}"
        )


def _json(value: Any) -> str:  # noqa: ANN401 - any canonical value
    return to_json(value).decode()
