"""What is fuzzed: a name, and a function that takes any bytes and raises only what is a finding."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tests.fuzz import event_target, logins_target

TARGETS: Final[dict[str, Callable[[bytes], None]]] = {"event": event_target.one, "logins": logins_target.one}
CORPUS: Final = Path(__file__).parent / "corpus"
LONGEST: Final = 2048  # bytes of an input


def corpus(target: str) -> Iterator[tuple[Path, bytes]]:
    """The inputs that are kept: each reaches code that no other does, or was a finding once."""
    for file in sorted((CORPUS / target).iterdir()):
        yield file, file.read_bytes()
