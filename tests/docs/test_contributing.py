"""CONTRIBUTING's commands work: those that run tests select some, and those that run the handler settle and stop."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.docs.pages import ROOT, page

BLOCKS = page("CONTRIBUTING.md").blocks
LINES = [line for block in BLOCKS if block.language == "sh" for line in block.code.splitlines()]
CONFIGURATIONS = [
    each for block in BLOCKS if block.language == "json" for each in json.loads(block.code)["configurations"]
]
HANDLER = [shlex.split(line) for line in LINES if " invoke " in line]


def program(module: str, *arguments: str, folder: str = "", commands: str = "") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TANDEM_", "AWS_"))}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT / folder, env=environment, input=commands, capture_output=True, text=True, check=False,
    )  # fmt: skip


def runs() -> Iterator[tuple[str, list[str]]]:
    """(folder, arguments) of every run of pytest."""
    for line in LINES:
        folder, _, rest = line.partition(" && ") if line.startswith("cd ") else ("", "", line)
        _, found, arguments = rest.partition(".venv/bin/python -m pytest ")
        if found:
            yield folder.removeprefix("cd "), shlex.split(arguments)
    yield from (("", each["args"]) for each in CONFIGURATIONS if each["module"] == "pytest")


@pytest.mark.parametrize(("folder", "arguments"), [*runs()])
def test_it_selects_tests(folder: str, arguments: list[str]) -> None:
    done = program("pytest", "--collect-only", "-p", "no:cacheprovider", *arguments, folder=folder)
    assert done.returncode == 0, done.stdout


def test_the_handler_settles_the_event() -> None:
    command = HANDLER[0]
    assert command[0] == ".venv/bin/tandem"
    done = program("functions.cli.main", *command[1:])
    assert done.returncode == 0, done.stderr
    assert ": settled: " in done.stdout
    (arguments,) = (each["args"] for each in CONFIGURATIONS if each["module"] == "functions.cli.main")
    assert arguments == command[1:]


def test_the_debugger_stops_in_the_pipeline() -> None:
    command = HANDLER[1]
    assert command[:3] == [".venv/bin/python", "-m", "pdb"]
    done = program("pdb", *command[3:], commands="p login.app_version\nq\n")
    assert "logins.py(56)process()" in done.stdout
    assert "'2.3.0'" in done.stdout
