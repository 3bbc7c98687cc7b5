import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from functions.adapters.memory_handover import MemorySwitch
from functions.adapters.memory_operators import MemoryDeadLetterArchive
from functions.core.dead_letter import Reason
from functions.core.effects import EPOCH
from functions.core.errors import Unavailable
from functions.core.handover_ports import Runtime, SwitchState
from functions.core.intent import Gap
from functions.core.operator_ports import GroupMember, LetterEntry, LogBounds
from functions.core.pipeline import Start
from functions.core.ports import Position, StopReason, Suspect
from functions.core.record_place import RecordPlace
from functions.operate.formatting import duration
from functions.operate.redrive.claims import Claims
from functions.operate.status import letters
from functions.operate.status.partition_status import PartitionStatus, inspect_pipeline, summary
from functions.operate.status.text import status_table, status_text
from tests.unit.operate.world import NOW, TOPIC, World, letter, source

RECENT = int((NOW - timedelta(seconds=10) - EPOCH).total_seconds() * 1000)
WHOLE = LogBounds(0, 100)


def status(
    following: int | None = 100,
    bounds: LogBounds | None = WHOLE,
    *,
    newest: int = 0,
    committed: int | None = None,
    start: Start = Start.EARLIEST,
) -> PartitionStatus:
    position = None if following is None else Position(following, 0, None, newest)
    return PartitionStatus(0, position, bounds, committed, (), start, NOW)


@pytest.mark.parametrize(
    ("partition", "lag"),
    [
        (status(100), 0),
        (status(40), 60),
        (status(40, LogBounds(70, 100)), 30),
        (status(120), 0),
        (status(40, None), None),
        (status(None), 100),
        (status(None, committed=90), 10),
        (status(None, start=Start.LATEST), 0),
    ],
)
def test_the_lag_counts_what_is_in_the_log_and_not_settled(partition: PartitionStatus, lag: int | None) -> None:
    assert partition.lag == lag


def test_what_expired_unsettled_is_counted_separately() -> None:
    assert status(40, LogBounds(70, 100)).expired == 30


@pytest.mark.parametrize(
    ("statuses", "line"),
    [
        ([status()], "keeping up"),
        ([status(40, newest=RECENT), status()], "keeping up, 60 not settled yet"),
        ([status(100, LogBounds(0, 12_000)), status(40), status()], "11,960 behind on 2 of 3 partitions"),
        ([status(200), status(40)], "the log ends before the ledger on partition 0: see tandem rewind --help"),
        ([], "keeping up"),
    ],
)
def test_the_summary_is_one_line(statuses: list[PartitionStatus], line: str) -> None:
    assert summary(statuses, None) == line


def test_a_timestamp_outside_of_the_calendar_has_no_age() -> None:
    assert status(newest=2**63 - 1).age is None


def test_the_ledger_is_shown_next_to_the_brokers(world: World) -> None:
    world.settle(1, 40, RECENT, gap=Gap(10, 19))
    found = inspect_pipeline(world.context)
    statuses, error = found.partitions, found.error
    assert error is None
    assert [(each.partition, each.lag) for each in statuses] == [(0, 0), (1, 0), (2, 0), (3, 0)]
    assert status_table(statuses).splitlines()[2].split() == (
        ["1", "40", "0", "0", "-", "-", "10", "s", "old", "10", "offsets", "in", "1", "gap"]
    )
    assert summary(statuses, error).startswith("the log ends before the ledger on partition 1")
    fields = json.loads(json.dumps(statuses[1].as_dict()))
    assert fields["gaps"] == [[10, 19]]
    assert fields["went_back"] is True


def test_stops_and_suspects_are_shown_in_lines_and_in_the_summary(world: World) -> None:
    for number in (0, 2):
        world.settle(number, 0, RECENT)
        world.open(number)
    stop = world.stop(2, StopReason.FLOOD)
    suspect = (
        "partition 0 has suspect records up to offset 99: an attempt ended with its process, 7 records are settled "
        "at a time"
    )
    assert world.ledger.narrow(source(0), world.ledger.positions[source(0)], Suspect(99, 7))
    found = inspect_pipeline(world.context)
    statuses, error = found.partitions, found.error
    lines = status_table(statuses).splitlines()
    assert lines[3].split()[5] == "stopped"
    assert lines[5:] == [
        "partition 2 is stopped, flood, since 2026-11-23T11:00:00.000Z (60 min ago), at the slice [0, 5999]: why flood",
        suspect,
    ]
    assert summary(statuses, error) == "stopped on partition 2 (flood): see tandem resume --help; keeping up"
    fields = json.loads(json.dumps([each.as_dict() for each in statuses]))
    assert fields[2]["stop"] == {
        "reason": "flood", "since": "2026-11-23T11:00:00.000Z", "first": 0, "last": stop.last, "detail": "why flood",
    }  # fmt: skip
    assert (fields[0]["stop"], fields[2]["suspect"]) == (None, None)
    assert fields[0]["suspect"]["end"] == 99


def test_a_suspect_that_the_ledger_has_passed_is_not_shown(world: World) -> None:
    world.settle(1, 40)
    position = world.open(1)
    assert world.ledger.narrow(source(1), position, Suspect(39, 7))
    assert inspect_pipeline(world.context).partitions[1].suspect is None


def test_without_brokers_the_ledger_is_shown_alone(world: World) -> None:
    world.settle(1, 40)
    world.kafka.reachable = False
    found = inspect_pipeline(world.context)
    statuses, error = found.partitions, found.error
    assert [(each.partition, each.position and each.position.next, each.lag) for each in statuses] == [(1, 40, None)]
    assert summary(statuses, error).startswith("the ledger alone: brokers in memory do not answer")
    assert status_table(statuses).splitlines()[1].split()[:4] == ["1", "40", "-", "-"]


def test_a_topic_that_does_not_exist_is_an_error_of_the_brokers(world: World) -> None:
    world.kafka.logs.clear()
    found = inspect_pipeline(world.context)
    assert (found.partitions, found.error) == ([], "brokers: topic user-login: has no partitions")


def test_open_letters_are_counted_by_reason(world: World) -> None:
    assert status_text(inspect_pipeline(world.context)).count("\n") == 8
    world.letters.store([letter(1), letter(2), letter(3, reason=Reason.FAILED), letter(4, reason=Reason.INVALID)])
    assert Claims(world.claims, "me").discard(RecordPlace(TOPIC, 3, 4), None, NOW)
    found = inspect_pipeline(world.context)
    assert found.as_dict()["letters"] == {"open": {"rejected": 2, "failed": 1}, "truncated": [], "error": None}
    line = status_text(found).splitlines()[-2]
    assert line == "open dead letters: 2 rejected, 1 failed: see tandem dead-letters summary"


def test_of_very_many_letters_a_part_is_counted(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "MAX_LISTED", 2)
    world.letters.store([letter(offset) for offset in range(3)])
    found = inspect_pipeline(world.context)
    assert found.letters == letters.OpenLetters({"rejected": 2}, frozenset({"rejected"}))
    assert "open dead letters: 2 or more rejected: see" in status_text(found)


@dataclass(slots=True)
class SilentArchive(MemoryDeadLetterArchive):
    """A bucket that does not answer."""

    def entries(self, *_: object) -> Iterator[LetterEntry]:
        raise Unavailable("s3: timed out\n")


def test_a_bucket_that_does_not_answer_hides_nothing_else(world: World) -> None:
    found = inspect_pipeline(replace(world.context, letters=SilentArchive("logins")))
    assert status_text(found).splitlines()[-2:] == [
        r"open dead letters: unknown: s3: timed out\n", "logins: keeping up",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (3, "3 s"), (119, "119 s"), (600, "10 min"), (7200, "2 h"), (864_000, "10 d")]
)
def test_durations_are_short(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_the_enabled_runtime_and_the_members_are_shown(world: World) -> None:
    world.kafka.group_members = [
        GroupMember("worker-b", "10.0.0.8", (3,)),
        GroupMember("worker-a", "10.0.0.7", (0, 1, 2)),
    ]
    text = status_text(inspect_pipeline(world.context))
    assert "msk: enabled: in memory\nworker: disabled: in memory\n" in text
    assert "members: worker-a at 10.0.0.7 has partitions 0-2; worker-b at 10.0.0.8 has partitions 3\n" in text
    described = inspect_pipeline(world.context).as_dict()
    assert described["runtimes"][0] == {"runtime": "msk", "status": "enabled", "detail": "in memory"}
    assert described["members"][1] == {"client": "worker-b", "host": "10.0.0.8", "partitions": [3]}


def test_a_runtime_that_cannot_be_asked_is_unknown_with_its_reason(world: World) -> None:
    switches = {**world.switches, Runtime.WORKER: SilentSwitch()}
    found = inspect_pipeline(replace(world.context, switches=switches))
    assert "worker: unknown: Kubernetes does not answer\\n\n" in status_text(found)
    assert found.as_dict()["runtimes"][1]["status"] == "unknown"


class SilentSwitch(MemorySwitch):
    def state(self) -> SwitchState:
        raise Unavailable("Kubernetes does not answer\n")
