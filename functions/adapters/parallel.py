"""Independent writes in parallel, bounded by the size of a pool."""

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Executor, Future, wait
from typing import Any, TypeVar, cast

from functions.core.errors import Incomplete, Unavailable

Item = TypeVar("Item")
Refusal = TypeVar("Refusal")


def for_each(pool: Executor, write: Callable[[Item], Refusal | None], items: Sequence[Item]) -> list[Refusal | None]:
    """Write all items; `write` returns None, or why the item was refused. Returns what it returned.

    On an error, cancels what has not started, and waits for the rest. Raises Incomplete with the items that are not
    known to be durable, refused ones too, so that the next call returns them; any other error than Unavailable as it
    is.
    """
    futures = [pool.submit(write, item) for item in items]
    _, rest = wait(futures, return_when=FIRST_EXCEPTION)
    wait([future for future in rest if not future.cancel()])
    errors = [None if future.cancelled() else future.exception() for future in futures]
    for error in errors:
        if error is not None and not isinstance(error, Unavailable):
            raise error
    first = next((error for error in errors if error is not None), None)
    if first is None:
        return [future.result() for future in futures]
    remaining = [item for item, future in zip(items, futures, strict=True) if not _is_durable(future)]
    raise Incomplete(str(first), remaining) from first


Answer = Callable[[], Refusal | None]


def in_flight(width: int, begin: Callable[[Item], "Answer[Refusal]"], items: Sequence[Item]) -> list[Refusal | None]:
    """Write all items on this thread; `begin` returns what waits for the end of a write, and at most `width` are begun.

    Results and errors are those of for_each.
    """
    begun: deque[Answer[Refusal]] = deque()
    ended: list[Refusal | Exception | None] = []
    for item in items:
        if len(begun) == width:
            ended.append(_ended(begun.popleft()))
            if isinstance(ended[-1], Exception):
                break
        begun.append(begin(item))
    ended += map(_ended, begun)
    errors = [result for result in ended if isinstance(result, Exception)]
    if not errors:
        return cast("list[Refusal | None]", ended)
    first = next((error for error in errors if not isinstance(error, Unavailable)), errors[0])
    if not isinstance(first, Unavailable):
        raise first
    written = {index for index, result in enumerate(ended) if result is None}
    raise Incomplete(str(first), [item for index, item in enumerate(items) if index not in written]) from first


def _ended(answer: "Answer[Refusal]") -> Refusal | Exception | None:
    try:
        return answer()
    except Exception as error:  # noqa: BLE001 - raised when the other writes have ended
        return error


def _is_durable(future: Future[Any]) -> bool:
    return not future.cancelled() and future.exception() is None and future.result() is None
