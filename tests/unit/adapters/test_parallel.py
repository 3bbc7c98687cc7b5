from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from functions.adapters.parallel import for_each
from functions.core.errors import Unavailable
from tests.integration.waiting import eventually


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as made:
        yield made


def test_all_are_written(pool: ThreadPoolExecutor) -> None:
    written: list[int] = []
    for_each(pool, written.append, range(100))
    assert sorted(written) == list(range(100))


class Remembering(ThreadPoolExecutor):
    """A pool whose tasks can be looked at."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self.tasks: list[Future[Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.tasks.append(super().submit(fn, *args, **kwargs))
        return self.tasks[-1]


def test_after_an_error_nothing_begins_and_nothing_runs() -> None:
    begun: list[int] = []
    ended: list[int] = []

    with Remembering(2) as pool:

        def write(item: int) -> None:
            begun.append(item)
            if item == 1:
                raise Unavailable("gone")
            eventually(lambda: sum(task.cancelled() for task in pool.tasks) == 997, lambda: begun)
            ended.append(item)

        with pytest.raises(Unavailable, match="gone"):
            for_each(pool, write, range(1000))
        assert sorted(ended) == [0, 2]
    assert sorted(begun) == [0, 1, 2]
