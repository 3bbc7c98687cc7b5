"""How an invocation can end. Everything but `Ok` counts as a failure of the whole batch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ok:
    """The handler returned; `payload` is its JSON."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class FunctionError:
    """The handler raised, or its module failed to import; `payload` is the JSON of the error."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The function was killed after `seconds`."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Crashed:
    """The process ended without an answer; `code` is its exit code, or minus the signal that ended it."""

    code: int


InvocationOutcome = Ok | FunctionError | TimedOut | Crashed
