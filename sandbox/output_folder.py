"""The folder of a command's reports."""

from pathlib import Path

from functions.core.errors import Misconfigured


def output_folder(path: Path) -> Path:
    """Create a folder if it does not exist, and return it. Misconfigured, in one line, if that cannot be done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Misconfigured(f"--out {path}: {error.strerror or error}") from None
    return path
