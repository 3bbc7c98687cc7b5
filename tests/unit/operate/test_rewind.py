"""Rewinding: the rules one by one, and then on real stores with brokers that are made up."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from functions.adapters.lake import key
from functions.core.errors import Refused
from functions.core.ports import Gap, Position, Source
from functions.operate import rewind
from functions.operate.brokers import Ends
from functions.operate.desk import Desk
from functions.operate.rewind import Wish
from functions.operate.rewind_rules import View, refusal
from tests.unit.operate.world import NOW, TOPIC, letter, settle, store

SOURCE = Source("logins", TOPIC, 3)
RECREATED = View(
    source=SOURCE, to=0, at=Position(5000, 0, None, 1_795_440_410_000), ends=Ends(0, 120), newer=0, committed=5000,
    active=False, gaps=(), unfinished=False, objects=(), letters=0,
)  # fmt: skip
RESTORED = replace(RECREATED, to=4000, ends=Ends(0, 4100), newer=4000)


@pytest.mark.parametrize(
    "view",
    [
        RECREATED,
        RESTORED,
        replace(RESTORED, ends=Ends(0, 4000), newer=None),
        replace(RECREATED, ends=Ends(0, 6000)),
        replace(RECREATED, gaps=[Gap(1, 5)]),
    ],
    ids=["recreated", "restored", "restored and quiet", "recreated and grown beyond", "old gaps"],
)
def test_another_log_may_be_rewound_to_where_it_is_new(view: View) -> None:
    assert refusal(view, all_new=False) is None


@pytest.mark.parametrize(
    ("view", "why"),
    [
        (replace(RECREATED, ends=Ends(0, 6000), newer=None), "this is the log that was settled"),
        (replace(RECREATED, ends=Ends(0, 6000), newer=5500), "this is the log that was settled"),
        (replace(RECREATED, ends=Ends(0, 6000), newer=90, gaps=[Gap(90, 99)]), "was given up on"),
        (replace(RECREATED, to=121), "takes an offset in the log, from 0 to 120, got 121"),
        (replace(RECREATED, ends=Ends(10, 120)), "takes an offset in the log, from 10 to 120, got 0"),
        (replace(RECREATED, ends=Ends(0, 6000), to=5000), "would not go back"),
        (replace(RESTORED, to=4001), "would lose records: those from 4000 on"),
        (replace(RESTORED, to=3999), "records before 4000 are no newer than what was settled, and may have been"),
        (replace(RECREATED, active=True), "a runtime is in the group"),
        (replace(RECREATED, at=Position(5000, 1, date(2026, 11, 23), 0)), "settled in part"),
        (replace(RECREATED, unfinished=True), "settled in part"),
        (replace(RECREATED, objects=["a.parquet", "b.parquet"]), "2 lake objects of the old log .* such as a.parquet"),
        (replace(RECREATED, letters=1), "1 dead letter of the old log at 0 or after"),
    ],
)
def test_what_would_lose_or_double_records_is_refused_with_the_way_out(view: View, why: str) -> None:
    said = refusal(view, all_new=False)
    assert said is not None
    with pytest.raises(Refused, match=why):
        raise Refused(said)


def test_an_operator_may_vouch_for_late_records_and_for_nothing_else() -> None:
    assert refusal(replace(RESTORED, to=3999), all_new=True) is None
    assert refusal(replace(RESTORED, to=4001), all_new=True) is not None
    assert refusal(replace(RESTORED, to=3999, letters=1), all_new=True) is not None


@dataclass
class MadeUp:
    """Brokers that answer so."""

    high: int = 120
    members: bool = False
    commits: list[tuple[str, int, int]] = field(default_factory=list)
    before_commit: Callable[[], object] = lambda: None

    def partitions(self, _topic: str) -> list[int]:
        return [0, 1, 2, 3]

    def ends(self, _topic: str, _partitions: list[int]) -> dict[int, Ends]:
        return {3: Ends(0, self.high)}

    def newer(self, *_: object) -> int | None:
        return 0

    def committed(self, *_: object) -> dict[int, int]:
        return {3: 5000}

    def active(self) -> bool:
        return self.members

    def commit(self, topic: str, partition: int, offset: int) -> None:
        self.before_commit()
        self.commits.append((topic, partition, offset))


@pytest.fixture
def made_up(desk: Desk) -> MadeUp:
    brokers = MadeUp()
    desk.__dict__["brokers"] = brokers  # where the property keeps it
    settle(desk, 3, 5000, 1_795_440_410_000)
    return brokers


def rewound(desk: Desk, **wish: Any) -> list[str]:
    said: list[str] = []
    rewind.run(desk, Wish(3, 0, **wish), said.append)
    return "\n".join(said).splitlines()


def put(desk: Desk, day: date, offset: int) -> None:
    desk.s3.put_object(Bucket=desk.settings.lake_bucket, Key=key(SOURCE, day, offset), Body=b"")


def test_a_dry_run_shows_what_is_there_and_how_to_go_on(desk: Desk, made_up: MadeUp) -> None:
    assert rewound(desk, all_new=True) == [
        "ledger  next 5000; newest settled record of 2026-11-23 13:26:50Z",
        "log     holds [0, 120); records newer than that: from 0 on",
        "group   has committed 5000; nobody is in it",
        *rewind.MEANING.format(to=0).splitlines(),
        "to do it: tandem rewind 3 --to 0 --from 5000 --all-new --go",
    ]
    assert made_up.commits == []


def test_with_go_the_ledger_and_the_commit_are_moved(desk: Desk, made_up: MadeUp) -> None:
    assert rewound(desk, seen=5000, go=True)[-1] == "moved the ledger from 5000 to 0, and the group's commit with it"
    assert desk.ledger.read(SOURCE) == Position(0, 0, None, 1_795_440_410_000)
    assert made_up.commits == [(TOPIC, 3, 0)]


def test_the_ledger_must_stand_where_it_was_seen(desk: Desk, made_up: MadeUp) -> None:
    with pytest.raises(Refused, match="stands at 5000, not at 4999 as you saw it"):
        rewound(desk, seen=4999, go=True)
    made_up.before_commit = lambda: settle(desk, 3, 5001)
    with pytest.raises(Refused, match="does not stand at 5000 any more"):
        rewound(desk, seen=5000, go=True)
    at = desk.ledger.read(SOURCE)
    assert at is not None
    assert at.next == 5001


@pytest.mark.parametrize("offset", [0, 1, 4999, 5000])
def test_objects_of_today_could_be_adopted(desk: Desk, made_up: MadeUp, offset: int) -> None:
    put(desk, datetime.now(UTC).date(), offset)
    with pytest.raises(Refused, match="1 lake object of the old log could be taken"):
        rewound(desk)


def test_objects_of_other_days_or_partitions_could_not(desk: Desk, made_up: MadeUp) -> None:
    put(desk, date(2026, 1, 1), 0)
    desk.s3.put_object(
        Bucket=desk.settings.lake_bucket,
        Key=key(replace(SOURCE, partition=33), datetime.now(UTC).date(), 0),
        Body=b"",
    )
    assert rewound(desk)[-1].startswith("to do it")


def test_an_object_where_the_ledger_stands_is_a_slice_that_was_never_finished(desk: Desk, made_up: MadeUp) -> None:
    desk.ledger.open(SOURCE, 5000, 5000, date(2026, 1, 1))
    assert rewound(desk)[-1].startswith("to do it")
    put(desk, date(2026, 1, 1), 5000)
    with pytest.raises(Refused, match="settled in part"):
        rewound(desk)


def test_dead_letters_that_would_come_again_are_in_the_way(desk: Desk, made_up: MadeUp) -> None:
    store(desk, letter(7), letter(8, partition=33))
    with pytest.raises(Refused, match="1 dead letter of the old log at 0 or after"):
        rewound(desk)


def test_days_are_those_of_any_clock_that_is_not_an_hour_off() -> None:
    assert rewind._days(NOW) == [date(2026, 11, 23)]
    assert rewind._days(NOW.replace(hour=0)) == [date(2026, 11, 22), date(2026, 11, 23)]
    assert rewind._days(NOW.replace(hour=23, minute=30)) == [date(2026, 11, 23), date(2026, 11, 24)]


def test_where_there_is_nothing_to_rewind_it_says_so(desk: Desk) -> None:
    with pytest.raises(Refused, match="the ledger knows no partition 3 of user-login"):
        rewound(desk)
    settle(desk, 9, 1)
    with pytest.raises(Refused, match="topic user-login has no partition 9"):
        rewind.run(desk, Wish(9, 0), lambda _: None)
