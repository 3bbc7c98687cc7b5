"""A process that dies at one of its calls to stores and brokers."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any

from functions.operate.context import OperatorContext

MORTAL = ("claims", "sender", "search", "letters")


class DiedError(Exception):
    """The process, at this point."""


@dataclass
class Life:
    """Ends at call number `at`, before it or after it has taken effect. Whatever is called later does nothing."""

    at: int
    after: bool
    calls: int = 0
    is_dead: bool = False
    lock: Lock = field(default_factory=Lock)

    def call(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        with self.lock:
            self.calls += 1
            dies = self.calls == self.at
            if self.is_dead or (dies and not self.after):
                self.is_dead = True
                raise DiedError
            result = function(*arguments, **options)
            if dies:
                self.is_dead = True
                raise DiedError
            return result


@dataclass(frozen=True)
class Mortal:
    """A port whose calls a life counts. An iterator counts when it is exhausted."""

    port: Any
    life: Life

    def __getattr__(self, name: str) -> Callable[..., Any]:
        function = getattr(self.port, name)

        def called(*arguments: Any, **options: Any) -> Any:
            result = self.life.call(function, *arguments, **options)
            return iter(list(result)) if isinstance(result, Iterator) else result

        return called


def mortal(context: OperatorContext, life: Life) -> OperatorContext:
    """Return the context of a process with this life."""
    ports: dict[str, Any] = {name: Mortal(getattr(context, name), life) for name in MORTAL}
    return replace(context, **ports)
