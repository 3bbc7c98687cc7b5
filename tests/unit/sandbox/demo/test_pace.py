import pytest

from sandbox.demo.produce import Pace, Room


def test_a_burst_a_trickle_and_then_the_rest() -> None:
    pace = Pace(100_000)
    assert pace.burst == 45_000
    assert [pace.due(now) for now in (10.0, 11.0, 20.0, 99.0)] == [45_000, 46_000, 55_000, 60_000]
    assert pace.steady(100.0) == pytest.approx(2_500)
    assert [pace.due(now) for now in (100.0, 101.0, 116.0, 999.0)] == [60_000, 62_500, 100_000, 100_000]


@pytest.mark.parametrize("count", [1, 2, 3, 10, 999])
def test_everything_is_sent_in_the_end(count: int) -> None:
    pace = Pace(count)
    assert 1 <= pace.burst <= count
    assert pace.due(0.0) <= count
    pace.steady(1.0)
    assert pace.due(7.1) == count


def test_room_for_what_is_not_settled() -> None:
    room = Room(1_000)
    assert room.add(0, 5_000, settled=0), "one always fits where nothing waits"
    assert not room.add(0, 1, settled=0)
    assert room.add(1, 1, settled=0), "partitions are apart"
    assert room.add(0, 500, settled=1)
    assert not room.add(0, 500, settled=1)


def test_room_without_end() -> None:
    assert all(Room(None).add(0, 10**9, settled=0) for _ in range(3))
