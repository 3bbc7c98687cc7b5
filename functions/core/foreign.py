"""Code and objects that are not Tandem's: what they raise concerns one record, and can be anything.

Law 9: whatever decoding, validating, processing or describing a record raises is that record's reject. Only what ends
the process is raised: MemoryError, after which the process is broken, and KeyboardInterrupt, which is a person's.
"""

from collections.abc import Callable
from pathlib import PurePath
from traceback import extract_tb, format_tb
from typing import Any, Final

from functions.core.dead_letter import Reason, Rejection
from functions.core.errors import Reject

PROCESS_ERRORS: Final = (MemoryError, KeyboardInterrupt)
MAX_DETAIL_CHARACTERS: Final = 2_000
MAX_TRACEBACK_CHARACTERS: Final = 16_000
MAX_CAUSES: Final = 5
MAX_PLACES: Final = 4


def rejection_of(index: int, error: BaseException) -> Rejection:
    """Return the rejection of the record that raised an error. Raises the error if it is the process's."""
    if isinstance(error, PROCESS_ERRORS):
        raise error
    if isinstance(error, Reject):
        return Rejection(index, Reason.REJECTED, shortened(text_of(error)))
    detail = shortened(f"{type_name(error)}: {text_of(error)}")
    return Rejection(index, Reason.FAILED, detail, text_of(error, _traceback))


def shortened(text: str, max_characters: int = MAX_DETAIL_CHARACTERS) -> str:
    """Return the text, or its beginning and how much is missing."""
    if len(text) <= max_characters:
        return text
    return f"{text[:max_characters]}... ({len(text) - max_characters} more characters)"


def type_name(error: object) -> str:
    """Return the name of an error's class, or of any object's, even if its metaclass has another one or none."""
    name: str = type.__dict__["__name__"].__get__(type(error))
    return name


def text_of(error: BaseException, describe: Callable[[BaseException], str] = str) -> str:
    """Return the error's text, or another description. Its class may raise anything."""
    try:
        return describe(error)
    except BaseException as second:  # noqa: BLE001 - see the module's law
        return unreadable(second)


def unreadable(error: BaseException) -> str:
    """Return what stands for a text whose reading raised `error`; raise it if it concerns the process."""
    if isinstance(error, PROCESS_ERRORS):
        raise error
    return f"(its text cannot be read: {type_name(error)})"


def places_of(error: BaseException) -> str:
    """Return the last places in the code that an error passed, the innermost one last, without any value."""
    frames = extract_tb(_attribute(error, "__traceback__"))[-MAX_PLACES:]
    return ", ".join(f"{frame.name} ({PurePath(frame.filename).name}:{frame.lineno})" for frame in frames)


def _traceback(error: BaseException) -> str:
    """The places in the code, without the text of any error: the detail has it, and it may be long."""
    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(parts) < MAX_CAUSES:
        parts.append("".join(format_tb(_attribute(cause, "__traceback__"))) + type_name(cause))
        hides_context = _attribute(cause, "__suppress_context__")
        cause = _attribute(cause, "__cause__") or (None if hides_context else _attribute(cause, "__context__"))
    return shortened("\n\ncaused by\n".join(parts), MAX_TRACEBACK_CHARACTERS)


def _attribute(error: BaseException, name: str) -> Any:  # noqa: ANN401 - of different types
    """Return an attribute of every exception, even if the error's class has replaced it."""
    return BaseException.__dict__[name].__get__(error)
