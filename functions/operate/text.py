"""How the verbs write for people."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from functions.core.effects import EPOCH
from functions.operate.status import Standing


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns as wide as they need; numbers to the right. Nothing that a `cut` or a narrow terminal would mind."""
    lines = [heads, *rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(heads))]
    right = [all(_number(line[at]) for line in lines[1:]) for at in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _number(cell: str) -> bool:
    return cell == "-" or cell.replace(",", "").isdecimal()


def count(number: int | None) -> str:
    """With commas; `-` for what is not known."""
    return "-" if number is None else f"{number:,}"


def many(number: int, what: str) -> str:
    """`1 record`, `37 records`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def age(seconds: float | None) -> str:
    """In the largest unit that leaves two of it, `-` for what is not known."""
    if seconds is None:
        return "-"
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def moment(at: datetime) -> str:
    """To the second, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def instant(milliseconds: int) -> str:
    """The same of Kafka's timestamps; producers choose them, so not every one is in a calendar."""
    try:
        return moment(EPOCH + timedelta(milliseconds=milliseconds))
    except OverflowError:
        return f"{milliseconds} ms"


def status(standings: Sequence[Standing]) -> str:
    """A line for each partition."""
    heads = ("partition", "next", "log end", "lag", "committed", "in progress", "newest settled", "gaps")
    return table(heads, map(_standing, standings))


def _standing(one: Standing) -> tuple[str, ...]:
    at = one.position
    progress = "-" if at is None or at.day is None else f"step {at.step}" if at.step else f"open since {at.day}"
    return (
        str(one.partition), count(at.next if at else None), count(one.ends.high if one.ends else None), count(one.lag),
        count(one.committed), progress, "-" if one.age is None else f"{age(one.age)} old", _gaps(one),
    )  # fmt: skip


def _gaps(one: Standing) -> str:
    offsets = sum(gap.last - gap.first + 1 for gap in one.gaps)
    told = [many(offsets, "offset") + f" in {many(len(one.gaps), 'gap')}"] if one.gaps else []
    told += [f"{one.expired:,} expired unsettled"] if one.expired else []
    return ", ".join(told) or "none"
