"""The report of an erasure as text."""

from collections.abc import Iterator

from functions.operate.erase.report import ErasureReport, StoreReport
from functions.operate.formatting import counted, labelled, number, printable, table

MAX_UNREADABLE = 5  # shown of one store


def report_text(report: ErasureReport) -> str:
    """Return a table of the stores, what is left in them and why, and the copies that are not reached."""
    headings = ("store", "searched", "found", "parts", "erased")
    rows = [
        (each.store, number(each.searched), number(each.found), number(each.parts), number(each.erased))
        for each in report.stores
    ]
    lines = [table(headings, rows), *(line for each in report.stores for line in _left(each))]
    lines.append("not reached:")
    lines.append(labelled((f"  {copy.where}", copy.until) for copy in report.unreached))
    lines.append(_conclusion(report))
    return "\n".join(lines)


def _left(store: StoreReport) -> Iterator[str]:
    if store.unsettled:
        yield f"{store.store}: the ledger has not passed the records of {store.unsettled:,}: run this again later"
    if store.changed:
        yield f"{store.store}: {store.changed:,} changed while this ran: run it again"
    if store.mentions:
        yield f"{store.store}: {store.mentions:,} more mention KEY: see --mentions"
    for problem in store.unreadable[:MAX_UNREADABLE]:
        yield f"{store.store}: not searched: {printable(problem)}"
    if hidden := len(store.unreadable[MAX_UNREADABLE:]):
        yield f"{store.store}: {counted(hidden, 'more object')} not searched: see --json"


def _conclusion(report: ErasureReport) -> str:
    if report.is_clean:
        return f"{report.pipeline}: nothing is left in these stores"
    if report.executed:
        return f"{report.pipeline}: something is left, see above"
    return f"{report.pipeline}: nothing was erased: add --execute"
