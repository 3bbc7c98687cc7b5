from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from functions.adapters.parallel import for_each
from functions.core.errors import Unavailable


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as made:
        yield made


def test_all_are_written(pool: ThreadPoolExecutor) -> None:
    written: list[int] = []
    for_each(pool, written.append, range(100))
    assert sorted(written) == list(range(100))


def test_after_an_error_nothing_begins_and_nothing_runs(pool: ThreadPoolExecutor) -> None:
    begun: list[int] = []
    ended: list[int] = []
    failed = Event()

    def write(item: int) -> None:
        begun.append(item)
        if item == 1:
            failed.set()
            raise Unavailable("gone")
        failed.wait()
        ended.append(item)

    with pytest.raises(Unavailable, match="gone"):
        for_each(pool, write, range(1000))
    assert len(begun) < 1000
    assert len(begun) == len(ended) + 1
