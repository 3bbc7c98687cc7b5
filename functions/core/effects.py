"""The effects of rows other than the lake: counts, table rows and messages. Pure functions of canonical rows.

A writer that rolls a slice forward derives from the object's rows the same effects that the object's author derived
from the records.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import MAX_PREC, Decimal, localcontext
from itertools import accumulate, islice
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from functions.core.row_json import json_rows
from functions.core.rows import Rows
from functions.core.sinks import Counters

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
SOURCE_HEADER: Final = "tandem-source"


class TableSpec(NamedTuple):
    """A table as an intent means it. `newest_by` None: the record that was written last wins, for rows and deletes.

    `key`: one field, or two. `expire_seconds`: after the row's time, counted in `newest_by` or the record's time.
    """

    name: str
    key: tuple[str, ...]
    newest_by: str | None
    expire_seconds: int | None = None


class TopicSpec(NamedTuple):
    """An output topic as an intent means it."""

    name: str
    key: str


class Count(NamedTuple):
    """An `amount` to add to a counter, and values to add to its sums.

    `group` is like "device_type=ios&locale=RU"; `bucket` is the start of the time bucket, in Unix seconds.
    """

    counter: str
    group: str
    bucket: int
    amount: int
    sums: tuple[tuple[str, int | Decimal], ...] = ()

    def negated(self) -> "Count":
        """Return the count that cancels this one."""
        return self._replace(amount=-self.amount, sums=tuple((name, -total) for name, total in self.sums))


class Order(NamedTuple):
    """Decides which of two rows of a key wins: the newer one; the coordinates make equally new ones distinct."""

    newest: int
    offset: int
    partition: int
    number: int = 0


class Newest(NamedTuple):
    """A candidate row for a table. `key`: a value for each field of the table's key.

    `row` None deletes the key's row; the table then remembers the order, so that no older row reappears. `expires`: in
    Unix seconds.
    """

    key: tuple[str | int, ...]
    order: Order
    row: Mapping[str, Any] | None
    expires: int | None = None

    @property
    def offset(self) -> int:
        """The offset of the record."""
        return self.order.offset


class Message(NamedTuple):
    """A message of a topic sink; `offset` is that of the source record.

    `value`: JSON in bytes, or the row's dict for a topic whose writer encodes it by a registered schema.
    """

    key: bytes | None
    value: Any
    headers: list[tuple[str, str | bytes | None]]
    offset: int


def counts(counters: Counters, rows: Rows) -> list[Count]:
    """Return one count per group and bucket, sorted, so that every writer splits them into the same transactions."""
    row_groups = groups(counters, rows)
    tally = Counter(row_groups)
    sums = _sums(counters, rows, row_groups)
    return sorted(
        Count(counters.name, _group(counters.by, group), bucket, n, sums.get((group, bucket), ()))
        for (group, bucket), n in tally.items()
    )


def groups(counters: Counters, rows: Rows) -> list[tuple[tuple[Any, ...], int]]:
    """Return the group and the bucket that each row counts in."""
    every, step = counters.every, timedelta(seconds=counters.every)
    buckets = [(time - EPOCH) // step * every for time in _column(rows, counters.at)]  # in integers: floats lose digits
    values = zip(*(_column(rows, name) for name in counters.by), strict=True) if counters.by else [()] * len(rows)
    return list(zip(values, buckets, strict=True))


def _sums(
    counters: Counters, rows: Rows, row_groups: Sequence[tuple[tuple[Any, ...], int]]
) -> dict[tuple[tuple[Any, ...], int], tuple[tuple[str, int | Decimal], ...]]:
    """Return the sums of each group and bucket, exactly: Python's default context would round at 28 digits."""
    if not counters.sums:
        return {}
    totals: dict[tuple[tuple[Any, ...], int], dict[str, int | Decimal]] = {}
    with localcontext(prec=MAX_PREC):
        for name in counters.sums:
            for group, value in zip(row_groups, _column(rows, name), strict=True):
                total = totals.setdefault(group, dict.fromkeys(counters.sums, 0))
                total[name] += 0 if value is None else value
    return {group: tuple(total.items()) for group, total in totals.items()}


def _group(names: Sequence[str], values: Sequence[Any]) -> str:
    return urlencode([(name, value) for name, value in zip(names, values, strict=True) if value is not None])


def newest(table: TableSpec, partition: int, rows: Rows, times: Sequence[int]) -> list[Newest]:
    """Return at most one candidate per key: the one with the greatest order among the rows and deletes.

    `times`: what `record_times` returns.
    """
    ages: Sequence[Any] = times if table.newest_by is None else _column(rows, table.newest_by)
    best: dict[tuple[str | int, ...], int] = {}
    for index, key in enumerate(zip(*(_column(rows, name) for name in table.key), strict=True)):
        # Offsets and numbers rise, so of two equally new rows the later one has the greater order.
        if key not in best or ages[best[key]] <= ages[index]:
            best[key] = index
    candidates = {
        key: Newest(
            key,
            Order(_number(ages[index]), rows.offsets[index], partition, rows.numbers[index]),
            _row(rows, index),
            _expiry(table, ages[index], times[index]),
        )
        for key, index in best.items()
    }
    for delete, time in zip(rows.deletes, times[len(rows) :], strict=True):
        key = tuple(delete.keys[name] for name in table.key)
        order = Order(time, delete.offset, partition, delete.number)
        if key not in candidates or candidates[key].order < order:
            candidates[key] = Newest(key, order, None, _expiry(table, None, time))
    return list(candidates.values())


def _expiry(table: TableSpec, age: object, time: int) -> int | None:
    """Return when a row may be deleted, in Unix seconds: counted from its own time, if that is a time."""
    if table.expire_seconds is None:
        return None
    if isinstance(age, datetime):
        time = _number(age)
    elif isinstance(age, date):
        time = (age.toordinal() - EPOCH.toordinal()) * 86_400_000_000
    return time // 1_000_000 + table.expire_seconds


def record_times(rows: Rows, clock: int, latest: int) -> list[int]:
    """Return the time of each row, then of each delete, in microseconds: never less than that of an earlier offset.

    Kafka's timestamps may go back within a partition, offsets never do. So each time is the greatest timestamp so far,
    from `clock` (of the slices before) on. Timestamps after `latest` (of this slice) are from the future and ignored,
    so that a time does not depend on the records after it: an attempt at a longer slice may have stored its rows.
    """
    if not rows.deletes and max(rows.timestamps, default=latest) <= latest:
        rising_times = accumulate(rows.timestamps, max, initial=clock)
        return [time * 1000 for time in islice(rising_times, 1, None)]
    pairs = [*zip(rows.offsets, rows.timestamps, strict=True), *((d.offset, d.timestamp) for d in rows.deletes)]
    order = sorted(range(len(pairs)), key=pairs.__getitem__) if rows.deletes else range(len(pairs))
    times = [0] * len(pairs)
    rising = accumulate(
        (pairs[index][1] for index in order), lambda time, t: max(time, t) if t <= latest else time, initial=clock
    )
    next(rising)
    for index, time in zip(order, rising, strict=True):
        times[index] = time * 1000
    return times


def clock_after(rows: Rows, clock: int, latest: int) -> int:
    """Return `clock` after these rows and deletes: what `record_times` returns for the last of them.

    Rejects and dropped records don't count: then the times do not depend on how records are cut into slices.
    """
    timestamps = [*rows.timestamps, *(delete.timestamp for delete in rows.deletes)]
    if (greatest := max(timestamps, default=clock)) <= latest:
        return max(clock, greatest)
    return max([clock, *(timestamp for timestamp in timestamps if timestamp <= latest)])


def messages(
    topic: TopicSpec,
    origin: str,
    rows: Rows,
    encode: Callable[[Mapping[str, Sequence[Any]]], Sequence[Any]] = json_rows,
) -> list[Message]:
    """Return one message per row; with its value as JSON, or what else `encode` makes of the columns.

    The header `tandem-source` is `origin` ("pipeline/topic/partition"), the offset, and the row's number: the same
    whenever a row is sent again, and another one for every other row.
    """
    keys = [None if key is None else str(key).encode() for key in _column(rows, topic.key)]
    prefix = origin.encode()
    headers = [
        [(SOURCE_HEADER, b"%b/%d/%d" % (prefix, offset, number))]
        for offset, number in zip(rows.offsets, rows.numbers, strict=True)
    ]
    return list(map(Message._make, zip(keys, encode(rows.columns), headers, rows.offsets, strict=True)))


def _column(rows: Rows, name: str) -> Sequence[Any]:
    return rows.columns[name]


def _row(rows: Rows, index: int) -> dict[str, Any]:
    return {name: column[index] for name, column in rows.columns.items()}


def _number(order: datetime | date | int) -> int:
    """Convert to an int of the same order, exactly: microseconds of a datetime, days of a date, an int unchanged."""
    if isinstance(order, datetime):
        return (order - EPOCH) // MICROSECOND
    return order.toordinal() if isinstance(order, date) else order
