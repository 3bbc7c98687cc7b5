"""Lines to a file that is there only when it is complete, or to standard output."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

import typer

from functions.core.errors import InvalidSetting, Refused

Write = Callable[[str], None]


@contextmanager
def line_output(file: Path | None, option: str) -> Iterator[Write]:
    """Yield a function that writes a line. The file is readable by its owner only, and replaces an old one at the end.

    None, or `-`: standard output. InvalidSetting names the option if the file cannot be created, Refused if it cannot
    be written.
    """
    if file is None or str(file) == "-":
        yield typer.echo
        return
    file = file.resolve()
    is_device = file.exists() and not file.is_file() and not file.is_dir()
    opened = _open(file, option, is_device=is_device)
    try:
        yield lambda line: _write(opened, file, line)
        with _writing(file):
            opened.close()
            if not is_device:
                Path(opened.name).replace(file)
    finally:
        with suppress(OSError):
            opened.close()
        if not is_device:
            Path(opened.name).unlink(missing_ok=True)


def _open(file: Path, option: str, *, is_device: bool) -> IO[str]:
    try:
        if file.is_dir():
            raise InvalidSetting(f"{option} {file}: Is a directory")
        if is_device:
            return file.open("w", encoding="utf-8")
        return NamedTemporaryFile("w", encoding="utf-8", dir=file.parent, prefix=f".{file.name}.", delete=False)
    except OSError as error:
        raise InvalidSetting(f"{option} {file}: {error.strerror or error}") from None


def _write(opened: IO[str], file: Path, line: str) -> None:
    with _writing(file):
        opened.write(f"{line}\n")


@contextmanager
def _writing(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Refused(f"{file}: {error.strerror or error}") from None
