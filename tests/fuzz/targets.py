"""The fuzz targets: each is a function of any bytes, and any exception that it raises is a finding."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tests.fuzz import codec_targets, event_target, logins_target

TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "event": event_target.run,
    "logins": logins_target.run,
    **{name: codec_targets.target(name) for name in codec_targets.CASES},
}
CORPUS: Final = Path(__file__).parent / "corpus"
MAX_INPUT_BYTES: Final = 2048


def corpus(target: str) -> Iterator[tuple[Path, bytes]]:
    """Yield the kept inputs: each reaches code that no other input reaches, or was a finding."""
    for file in sorted((CORPUS / target).iterdir()):
        yield file, file.read_bytes()
