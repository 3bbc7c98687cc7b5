from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any

import pytest

from functions.adapters.parallel import for_each, in_flight
from functions.core.errors import Incomplete, Refused, Unavailable
from tests.integration.waiting import eventually


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as created:
        yield created


def test_all_are_written(pool: ThreadPoolExecutor) -> None:
    written: list[int] = []
    assert for_each(pool, written.append, range(100)) == [None] * 100
    assert sorted(written) == list(range(100))


def test_refusals_are_returned_in_the_order_of_the_items(pool: ThreadPoolExecutor) -> None:
    assert for_each(pool, lambda item: f"no {item}" if item % 2 else None, range(4)) == [None, "no 1", None, "no 3"]


def test_only_what_may_not_be_durable_remains() -> None:
    """Refused items are not durable either: the next call needs them to return their refusals again."""

    def write(item: int) -> str | None:
        if item == 3:
            raise Unavailable("gone")
        return "no" if item == 1 else None

    with ThreadPoolExecutor(1) as one, pytest.raises(Incomplete, match="gone") as caught:
        for_each(one, write, range(5))
    # one thread may begin item 4 between the error and the cancellation
    assert list(caught.value.remaining) in ([1, 3], [1, 3, 4])


def test_an_error_that_no_retry_cures_is_raised_as_it_is(pool: ThreadPoolExecutor) -> None:
    def write(item: int) -> None:
        raise Unavailable("gone") if item else Refused("no permission")

    with pytest.raises(Refused, match="no permission"):
        for_each(pool, write, [1, 1, 0])


def test_every_item_is_durable_or_remains(pool: ThreadPoolExecutor) -> None:
    written: list[int] = []
    lock = Lock()

    def write(item: int) -> None:
        with lock:
            if item % 17 == 16:
                raise Unavailable("gone")
            written.append(item)

    remaining: Sequence[int] = range(100)
    with pytest.raises(Incomplete) as caught:
        for_each(pool, write, remaining)
    assert sorted([*written, *caught.value.remaining]) == list(remaining)


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
            eventually(lambda: len(begun) + sum(task.cancelled() for task in pool.tasks) == 1000, lambda: begun)
            ended.append(item)

        with pytest.raises(Unavailable, match="gone"):
            for_each(pool, write, range(1000))
        assert sorted([*ended, 1]) == sorted(begun)
    assert len(begun) <= 3  # one more begins if a thread is free between the error and the cancellation
    assert len(ended) == len(begun) - 1


class Writes:
    """Writes that end when they are waited for: odd ones are refused, and those of `errors` raise."""

    def __init__(self, **errors: Exception) -> None:
        self.errors = {int(name.removeprefix("at")): error for name, error in errors.items()}
        self.waiting: list[int] = []
        self.most_waiting = 0
        self.ended: list[int] = []

    def begin(self, item: int) -> Callable[[], str | None]:
        self.waiting.append(item)
        self.most_waiting = max(self.most_waiting, len(self.waiting))

        def answer() -> str | None:
            self.waiting.remove(item)
            self.ended.append(item)
            if item in self.errors:
                raise self.errors[item]
            return f"no {item}" if item % 2 else None

        return answer


def test_writes_in_flight_are_as_many_as_their_width() -> None:
    writes = Writes()
    assert in_flight(3, writes.begin, range(6)) == [None, "no 1", None, "no 3", None, "no 5"]
    assert (writes.most_waiting, writes.waiting) == (3, [])
    assert in_flight(3, writes.begin, []) == []


def test_after_an_error_no_write_begins_and_those_in_flight_end() -> None:
    writes = Writes(at2=Unavailable("gone"))
    with pytest.raises(Incomplete, match="gone") as caught:
        in_flight(3, writes.begin, range(10))
    assert list(caught.value.remaining) == [1, 2, 3, 5, 6, 7, 8, 9]
    assert (sorted(writes.ended), writes.waiting) == ([0, 1, 2, 3, 4], [])


def test_an_error_in_flight_that_no_retry_cures_is_raised_as_it_is() -> None:
    writes = Writes(at0=Unavailable("gone"), at1=Refused("no permission"))
    with pytest.raises(Refused, match="no permission"):
        in_flight(3, writes.begin, range(10))
    assert writes.waiting == []
