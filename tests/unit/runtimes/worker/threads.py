"""Executors that run everything immediately, or never."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any


class SameThread(Executor):
    """Runs everything immediately, on the calling thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        return future


class NoThread(Executor):
    """Never runs anything; `futures` are those that it returned, `calls` what it was to run."""

    def __init__(self) -> None:
        self.futures: list[Future[Any]] = []
        self.calls: list[Callable[[], Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.calls.append(lambda: fn(*args, **kwargs))
        self.futures.append(Future())
        return self.futures[-1]
