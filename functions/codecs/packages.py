"""Imports the packages of codecs: each is an extra of Tandem, imported when a codec first needs it."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from functions.core.errors import InvalidPipeline


def package(module: str, extra: str) -> Any:  # noqa: ANN401 - a module
    """Import a module of an extra's package. Raises InvalidPipeline, naming the extra, if it is not installed."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not module.startswith(error.name):
            raise
        raise InvalidPipeline(f"codec: {module} is not installed, it is in Tandem's extra {extra!r}") from None


def missing(module: str, extra: str) -> Iterator[str]:
    """Yield a problem of the declaration if a package is not installed."""
    try:
        package(module, extra)
    except InvalidPipeline as error:
        yield str(error)
