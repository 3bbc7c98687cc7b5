"""The status of partitions as a table."""

from collections.abc import Sequence

from functions.operate.formatting import counted, duration, number, printable, runs, table
from functions.operate.status.letters import OpenLetters
from functions.operate.status.partition_status import PartitionStatus, PipelineStatus, summary
from functions.operate.status.runtimes import GroupStatus, RuntimeStatus
from functions.operate.stops import since

HEADINGS = ("partition", "next", "log end", "lag", "committed", "in progress", "newest settled", "gaps")


def status_text(status: PipelineStatus) -> str:
    """Return the table of a pipeline's partitions, its open dead letters if there are any, then its summary."""
    last = f"{status.pipeline}: {summary(status.partitions, status.error)}"
    lines = (
        status_table(status.partitions), *map(_runtime, status.runtimes), _members(status.group_status),
        _letters(status.letters), last,
    )  # fmt: skip
    return "\n".join(filter(None, lines))


def _runtime(status: RuntimeStatus) -> str:
    described = status.as_dict()
    return f"{described['runtime']}: {described['status']}: {printable(described['detail'])}"


def _members(group: GroupStatus) -> str:
    if group.members is None:
        return ""
    members = (f"{printable(each.client)} at {each.host} has {_ranges(each.partitions)}" for each in group.members)
    return f"group members: {'; '.join(members) or 'none'}"


def _ranges(numbers: Sequence[int]) -> str:
    """Return `partitions 0-3, 7`: numbers in order, with ranges."""
    ranges = [str(first) if first == last else f"{first}-{last}" for first, last in runs(numbers)]
    return f"partitions {', '.join(ranges)}" if ranges else "no partitions"


def _letters(letters: OpenLetters) -> str:
    if letters.error is not None:
        return f"open dead letters: unknown: {printable(letters.error)}"
    counts = ", ".join(
        f"{n:,}{' or more' if reason in letters.truncated else ''} {reason}" for reason, n in letters.counts.items()
    )
    return counts and f"open dead letters: {counts}: see tandem dead-letters summary"


def status_table(statuses: Sequence[PartitionStatus]) -> str:
    """Return a line for each partition, then one for each stop and each suspect slice."""
    lines = [table(HEADINGS, map(_cells, statuses)), *map(_stop, statuses), *map(_suspect, statuses)]
    return "\n".join(filter(None, lines))


def _stop(status: PartitionStatus) -> str:
    stop = status.stop
    if stop is None:
        return ""
    age = duration(status.now.timestamp() - stop.at / 1000)
    return (
        f"partition {status.partition} is stopped, {stop.reason.value}, since {since(stop)} ({age} ago), at the slice "
        f"[{stop.first}, {stop.last}]: {printable(stop.detail)}"
    )


def _suspect(status: PartitionStatus) -> str:
    suspect = status.suspect
    if suspect is None:
        return ""
    size = counted(suspect.size, "record")
    return (
        f"partition {status.partition} has suspect records up to offset {suspect.end}: an attempt ended with its "
        f"process, {size} are settled at a time"
    )


def _cells(status: PartitionStatus) -> tuple[str, ...]:
    position, bounds = status.position, status.bounds
    return (
        str(status.partition), number(position.next if position else None), number(bounds.high if bounds else None),
        number(status.lag), number(status.committed), _progress(status),
        "-" if status.age is None else f"{duration(status.age)} old", _gaps(status),
    )  # fmt: skip


def _progress(status: PartitionStatus) -> str:
    position = status.position
    if status.stop is not None:
        return "stopped"
    if position is None or position.day is None:
        return "-"
    return f"step {position.step}" if position.step else f"open since {position.day}"


def _gaps(status: PartitionStatus) -> str:
    offsets = sum(gap.last - gap.first + 1 for gap in status.gaps)
    parts = [f"{counted(offsets, 'offset')} in {counted(len(status.gaps), 'gap')}"] if status.gaps else []
    parts += [f"{status.expired:,} expired unsettled"] if status.expired else []
    return ", ".join(parts) or "none"
