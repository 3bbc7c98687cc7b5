"""The policy of `tandem handover --to auto`, alone and on a stage in memory."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.adapters.memory_kafka import MemoryRecord
from functions.core.errors import Misconfigured
from functions.core.handover_ports import Runtime
from functions.operate.handover.policy import HandoverPolicy, policy
from functions.operate.handover.run import chosen
from functions.operate.terminal import Terminal
from tests.unit.operate.world import TOPIC, Output, World

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "zone", "hour", "expected"),
    [
        ("08-20", "UTC", 7, Runtime.MSK), ("08-20", "UTC", 8, Runtime.WORKER), ("08-20", "UTC", 20, Runtime.MSK),
        ("22-02", "UTC", 1, Runtime.WORKER), ("22-02", "UTC", 2, Runtime.MSK),
        ("06-09, 22-24", "UTC", 23, Runtime.WORKER),
        ("08-20", "Europe/Berlin", 6, Runtime.WORKER), ("08-20", "Europe/Berlin", 18, Runtime.MSK),
        ("00-24", "UTC", 0, Runtime.WORKER),
    ],
)  # fmt: skip
def test_the_time_of_day_decides_in_its_zone(hours: str, zone: str, hour: int, expected: Runtime) -> None:
    chosen_now = policy(hours, zone, None, None).choose(NOON.replace(hour=hour), None, None)
    assert chosen_now is expected


def test_a_burst_goes_to_lambda_until_the_lag_is_small() -> None:
    rules = policy(None, "UTC", 1000, None)
    current, course = Runtime.WORKER, []
    for lag in (500, 1000, 1001, 1000, 100, 99, 500):
        current = rules.choose(NOON, lag, current)
        course.append(current.value)
    assert course == ["worker", "worker", "msk", "msk", "msk", "worker", "worker"]


def test_a_lag_that_is_unknown_decides_nothing() -> None:
    assert policy("08-20", "UTC", 10, None).choose(NOON, None, Runtime.MSK) is Runtime.WORKER


@given(st.integers(0, 23), st.integers(0, 10**6), st.sampled_from([*Runtime]), st.integers(1, 10**6))
def test_what_was_chosen_stays_chosen_while_nothing_changes(hour: int, lag: int, current: Runtime, burst: int) -> None:
    rules, now = HandoverPolicy(frozenset(range(8, 20)), "UTC", burst, burst // 10), NOON.replace(hour=hour)
    first = rules.choose(now, lag, current)
    assert rules.choose(now, lag, first) is first


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ((None, "UTC", None, None), "--to auto: expected --worker-hours"),
        (("8", "UTC", None, None), "--worker-hours: got '8', expected hours such as"),
        (("08-25", "UTC", None, None), "--worker-hours: got '08-25'"),
        (("24-02", "UTC", None, None), "--worker-hours: got '24-02'"),
        (("08-20", "Mars/Base", None, None), "--time-zone: got 'Mars/Base'"),
        (("08-20", "../etc", None, None), "--time-zone: got '../etc'"),
        ((None, "UTC", 10, 11), "--calm-lag: expected a lag that is not above"),
        (("08-20", "UTC", None, 5), "--calm-lag: expected a lag that is not above"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    options: tuple[str | None, str, int | None, int | None], why: str
) -> None:
    with pytest.raises(Misconfigured) as refused:
        policy(*options)
    assert str(refused.value).startswith(why)


def test_the_lag_and_the_enabled_runtime_come_from_the_stage(world: World) -> None:
    output, rules = Output(), policy(None, "UTC", 5, 2)
    world.kafka.logs[TOPIC][0].records = [MemoryRecord(0, b"", b"", []) for _ in range(3)]
    assert chosen(world.context, rules, Terminal(output)) is Runtime.MSK, "enabled, and the lag is not small"
    world.switches[Runtime.MSK].enabled, world.switches[Runtime.WORKER].enabled = False, True
    assert chosen(world.context, rules, Terminal(output)) is Runtime.WORKER
    world.kafka.logs[TOPIC][1].records = [MemoryRecord(0, b"", b"", []) for _ in range(3)]
    assert chosen(world.context, rules, Terminal(output)) is Runtime.MSK
    world.kafka.reachable = False
    assert chosen(world.context, rules, Terminal(output)) is Runtime.WORKER
    assert output.lines[-2:] == [
        "12:00Z, lag 6: the policy chooses msk", "12:00Z, lag unknown: the policy chooses worker",
    ]  # fmt: skip
