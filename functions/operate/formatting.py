"""Text for people, for all verbs: tables, numbers, durations, times, and text from records."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from functions.core.effects import EPOCH

MIN_LABEL_CHARACTERS: Final = 6  # so that the texts of several calls are under each other


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return columns as wide as their cells, numbers to the right, without borders."""
    lines = [headings, *rows]
    columns = range(len(headings))
    widths = [max(len(line[column]) for line in lines) for column in columns]
    right = [all(_is_number(line[column]) for line in lines[1:]) for column in columns]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(line, widths, right, strict=True)
        ).rstrip()
        for line in lines
    )


def _is_number(cell: str) -> bool:
    return cell == "-" or cell.replace(",", "").isdecimal()


def number(value: int | None) -> str:
    """Return a number with commas, or `-` for one that is unknown."""
    return "-" if value is None else f"{value:,}"


def counted(count: int, noun: str) -> str:
    """Return `1 record`, `37 records`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return the first and the last of each run of consecutive numbers, which rise."""
    found: list[tuple[int, int]] = []
    for each in numbers:
        if found and each == found[-1][1] + 1:
            found[-1] = found[-1][0], each
        else:
            found.append((each, each))
    return found


def duration(seconds: float | None) -> str:
    """Return a duration in its largest unit that gives at least two of it, or `-` for one that is unknown."""
    if seconds is None:
        return "-"
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def moment(time: datetime) -> str:
    """Return a time in UTC, to the second."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def kafka_time(milliseconds: int) -> str:
    """Return a Kafka timestamp as a time. Producers choose timestamps, so some are outside of the calendar."""
    try:
        return moment(EPOCH + timedelta(milliseconds=milliseconds))
    except OverflowError:
        return f"{milliseconds} ms"


def printable(text: str) -> str:
    """Escape line breaks, what would control a terminal, and what it could not encode: records may hold anything."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def labelled(lines: Iterable[tuple[str, str]]) -> str:
    """Return a line for each (label, text), with the texts under each other. The texts cannot break a line."""
    pairs = [(label, printable(text)) for label, text in lines]
    width = max(MIN_LABEL_CHARACTERS, *(len(label) for label, _ in pairs))
    return "\n".join(f"{label:<{width}}  {text}".rstrip() for label, text in pairs)
