"""What was checked, line by line: the same on the console and on the page."""

from collections.abc import Iterator
from typing import Any, NamedTuple


class Check(NamedTuple):
    """`fine` None: just a number."""

    what: str
    how: str
    found: str
    fine: bool | None


def checks(told: dict[str, Any]) -> Iterator[Check]:
    """Of a report."""
    yield Check("Records produced", "acknowledged by the broker", f"{told['records_in']:,}", None)
    yield Check("Rows in the lake", "every Parquet object read", f"{told['rows_in_lake']:,}", None)
    yield Check("Dead letters", "every object read", f"{told['dead_letters']:,}", None)
    yield Check("Dropped", "tombstones", f"{told['dropped']:,}", None)
    yield _none("Missing", "neither row, dead letter nor drop", told["missing"])
    yield _none("Doubled", "more than one of them", told["duplicates"])
    yield _none("Wrong", "other content, or another reason", told["wrong"])
    yield _match("Counters", "logins per minute and device type", fine=told["counters_match"])
    yield _match("Table", "the last login of each user", fine=told["table_match"])
    repeated = f"; {told['topic_repeated']:,} came again" if told["topic_repeated"] else ""
    yield _match("Queue", "announces every dead letter", fine=told["announcements_match"])
    yield _match("Output topic", "unique by source coordinates" + repeated, fine=told["topic_unique_match"])


def _none(what: str, how: str, count: int) -> Check:
    return Check(what, how, f"{count:,}", count == 0)


def _match(what: str, how: str, *, fine: bool) -> Check:
    return Check(what, how, "match" if fine else "differ", fine)
