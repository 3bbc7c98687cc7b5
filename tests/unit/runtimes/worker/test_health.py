"""Health: what counts as progress, and as ready."""

import pytest

from functions.runtimes.worker.health import BROKER_SECONDS, LOOP_SECONDS, State

STALL = 300.0
HANGS = "an attempt has been in the same step for 301 s, the limit is 300 s"
NO_GROUP = "the group has not assigned partitions"


def state(turned: float = 100.0, **changes: float) -> State:
    return State(turned, **({"brokers_seen": turned, "was_ready": turned} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "now", "why"),
    [
        (state(), 100.0 + LOOP_SECONDS, None),
        (state(), 101.0 + LOOP_SECONDS, "the loop has not turned for 61 s"),
        (state(turn_seconds=80.0), 101.0 + LOOP_SECONDS, None),
        (state(longest=STALL), 100.0, None),
        (state(longest=STALL + 1), 100.0, HANGS),
        (state(was_ready=100.0 - 2 * STALL), 100.0, None),
        (state(was_ready=99.0 - 2 * STALL), 100.0, f"not ready for 601 s: {NO_GROUP}"),
        (
            state(was_ready=99.0 - 2 * STALL, brokers_seen=50.0, assigned=True),
            100.0,
            "not ready for 601 s: no broker has been connected for 50 s",
        ),
    ],
)
def test_healthy_means_progress(state: State, now: float, why: str | None) -> None:
    assert state.unhealthy(now, STALL) == why


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (state(), NO_GROUP),
        (state(assigned=True), None),
        (state(assigned=True, brokers_seen=100.0 - BROKER_SECONDS), None),
        (state(assigned=True, brokers_seen=99.0 - BROKER_SECONDS), "no broker has been connected for 21 s"),
    ],
)
def test_ready_means_assigned_and_connected(state: State, why: str | None) -> None:
    assert state.unready(100.0) == why


def test_stopped_partitions_do_not_make_it_unready_because_another_worker_could_not_settle_them() -> None:
    stopped = state(assigned=True)
    stopped.stopped = ("one", "two")
    assert (stopped.unready(100.0), stopped.unhealthy(100.0, STALL)) == (None, None)


def test_time_without_readiness_counts_from_when_it_was_last_ready() -> None:
    worker = state(assigned=True)
    worker.turn(110.0)
    worker.assigned = False
    worker.turn(710.0)
    assert worker.unhealthy(720.0, STALL) is None
    worker.turn(711.0)
    assert worker.unhealthy(711.0, STALL) == f"not ready for 601 s: {NO_GROUP}"
    worker.assigned, worker.brokers_seen = True, 711.0
    worker.turn(711.0)
    assert worker.unhealthy(711.0, STALL) is None
