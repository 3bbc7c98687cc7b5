import json
from datetime import timedelta

import pytest

from functions.core.effects import EPOCH
from functions.core.pipeline import Start
from functions.core.ports import Gap, Position
from functions.operate import text
from functions.operate.brokers import Ends
from functions.operate.desk import Desk
from functions.operate.status import Standing, look, summary
from tests.unit.operate.world import NOW, TOPIC, settle

RECENT = int((NOW - timedelta(seconds=10) - EPOCH).total_seconds() * 1000)


WHOLE = Ends(0, 100)


def standing(
    following: int | None = 100,
    ends: Ends | None = WHOLE,
    *,
    newest: int = 0,
    committed: int | None = None,
    start: Start = Start.EARLIEST,
) -> Standing:
    at = None if following is None else Position(following, 0, None, newest)
    return Standing(0, at, ends, committed, (), start, NOW)


@pytest.mark.parametrize(
    ("one", "lag"),
    [
        (standing(100), 0),
        (standing(40), 60),
        (standing(40, Ends(70, 100)), 30),
        (standing(120), 0),
        (standing(40, None), None),
        (standing(None), 100),
        (standing(None, committed=90), 10),
        (standing(None, start=Start.LATEST), 0),
    ],
)
def test_the_lag_is_what_is_in_the_log_and_not_settled(one: Standing, lag: int | None) -> None:
    assert one.lag == lag


def test_what_expired_unsettled_is_told_apart() -> None:
    assert standing(40, Ends(70, 100)).expired == 30


@pytest.mark.parametrize(
    ("standings", "said"),
    [
        ([standing()], "keeping up"),
        ([standing(40, newest=RECENT), standing()], "keeping up, 60 on their way"),
        ([standing(100, Ends(0, 12_000)), standing(40), standing()], "11,960 behind on 2 of 3 partitions"),
        ([standing(200), standing(40)], "the log ends before the ledger on partition 0: see tandem rewind --help"),
        ([], "keeping up"),
    ],
)
def test_the_summary_is_one_line(standings: list[Standing], said: str) -> None:
    assert summary(standings, None) == said


def test_a_timestamp_that_no_calendar_has_is_no_reason_to_fail() -> None:
    assert standing(newest=2**63 - 1).age is None


def test_ledger_and_brokers_are_shown_side_by_side(desk: Desk) -> None:
    settle(desk, 1, 40, RECENT, Gap(10, 19))
    standings, silence = look(desk, NOW)
    assert silence is None
    assert [(one.partition, one.lag) for one in standings] == [(0, 0), (1, 0), (2, 0), (3, 0)]
    assert text.status(standings).splitlines()[2].split() == (
        ["1", "40", "0", "0", "-", "-", "10", "s", "old", "10", "offsets", "in", "1", "gap"]
    )
    assert summary(standings, silence).startswith("the log ends before the ledger on partition 1")
    told = json.loads(json.dumps(standings[1].told()))
    assert told["gaps"] == [[10, 19]]
    assert told["went_back"] is True


def test_without_brokers_the_ledger_is_shown(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(desk, 1, 40)
    monkeypatch.setattr("functions.operate.brokers.TIMEOUT", 0.2)
    away = Desk(desk.settings.model_copy(update={"bootstrap_servers": "127.0.0.1:1"}))
    away.__dict__["ledger"] = desk.ledger
    standings, silence = look(away, NOW)
    assert [(one.partition, one.position and one.position.next, one.lag) for one in standings] == [(1, 40, None)]
    said = summary(standings, silence)
    assert said.startswith("the ledger alone: brokers 127.0.0.1:1 do not answer: ")
    assert "Connection refused" in said
    assert text.status(standings).splitlines()[1].split()[:4] == ["1", "40", "-", "-"]


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, "-"), (3, "3 s"), (119, "119 s"), (600, "10 min"), (7200, "2 h"), (864_000, "10 d")]
)
def test_ages_are_short(seconds: float | None, said: str) -> None:
    assert text.age(seconds) == said


def test_a_topic_that_is_not_there_is_told(desk: Desk) -> None:
    assert desk.brokers.partitions(TOPIC) == [0, 1, 2, 3]
