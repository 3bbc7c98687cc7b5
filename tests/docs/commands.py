"""The reference of the command line, generated from the commands themselves."""

import inspect
import re
from collections.abc import Iterator
from typing import Any, Final

import typer

from functions.cli.main import app

HEADER: Final = "| option | description |\n|---|---|"


def commands() -> str:
    """A section for each command, in the order of `tandem --help`."""
    root: Any = typer.main.get_command(app)
    return "\n\n".join(_section(name, command) for name, command in _leaves("", root))


def _leaves(prefix: str, group: Any) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        whole = f"{prefix}{name}"
        if hasattr(command, "commands"):
            yield from _leaves(f"{whole} ", command)
        elif not command.hidden:
            yield whole, command


def _section(name: str, command: Any) -> str:
    context = typer.Context(command)
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and each.name != "help"]
    pieces = [piece for each in arguments for piece in each.get_usage_pieces(context)]
    usage = " ".join(["tandem", name, *(piece.strip("{}") for piece in pieces), *(["[OPTIONS]"] if options else [])])
    parts = [f"## `{name}`", f"```text\n{usage}\n```", _prose(command.help or "")]
    rows = [_row(piece.strip("{}"), each.help or "") for each in arguments for piece in each.get_usage_pieces(context)]
    rows += [_row(*each.get_help_record(context)) for each in options]
    return "\n\n".join([*parts, *(["\n".join([HEADER, *rows])] if rows else [])])


def _prose(text: str) -> str:
    """The docstring, an example's command as code."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(re.sub(r"^Example: (.+)$", r"Example: `\1`", " ".join(each.split())) for each in paragraphs)


def _row(option: str, description: str) -> str:
    return "| `{}` | {} |".format(*(" ".join(text.split()).replace("|", "\\|") for text in (option, description)))
