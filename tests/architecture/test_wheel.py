"""The wheel holds functions/ and nothing else, and its command works without the sandbox."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
import typer

from functions.cli.main import EXIT_MISCONFIGURED
from sandbox.verbs import register

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
# A checkout's root is on the path where Tandem is installed in development mode.
WITHOUT_SANDBOX = """
import pathlib, sys
sys.path[:] = [sys.argv.pop(1), *(path for path in sys.path if not (pathlib.Path(path) / "sandbox").is_dir())]
from functions.cli.main import main
assert "/wheel/" in main.__code__.co_filename
main()
"""

Tandem = Callable[..., subprocess.CompletedProcess[str]]


def verbs_of_the_sandbox() -> list[str]:
    app = typer.Typer()
    register(app)
    verbs = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]
    assert "demo" in verbs
    return verbs


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def tandem(wheel: Path) -> Tandem:
    """`tandem` as the wheel has it, on a tree without sandbox/."""
    folder = wheel.parent / "wheel"
    ZipFile(wheel).extractall(folder)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-c", WITHOUT_SANDBOX, str(folder), *arguments]
        return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=60)

    return run


def test_it_holds_all_of_functions_and_nothing_else(wheel: Path) -> None:
    sources = {str(path.relative_to(ROOT)) for path in (ROOT / "functions").rglob("*.py")}
    held = set(ZipFile(wheel).namelist())
    assert sources <= held
    assert {name.partition("/")[0] for name in held} == {"functions", f"tandem-{VERSION}.dist-info"}


def test_it_lists_no_verb_of_the_sandbox(tandem: Tandem) -> None:
    done = tandem("--help")
    assert done.returncode == 0, done.stderr
    listed = set(done.stdout.split())
    assert {"worker", "status", "rewind"} <= listed
    assert not listed.intersection(verbs_of_the_sandbox())


@pytest.mark.parametrize("verb", [*verbs_of_the_sandbox(), "nonsense"])
def test_a_verb_that_it_does_not_have_is_an_error_in_a_few_lines(tandem: Tandem, verb: str) -> None:
    done = tandem(verb)
    assert done.returncode == EXIT_MISCONFIGURED
    assert f"No such command '{verb}'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_new_pipeline_needs_a_checkout(tandem: Tandem) -> None:
    done = tandem("new", "page-views")
    assert done.returncode == EXIT_MISCONFIGURED
    assert done.stderr.startswith("error: tandem new: expected a checkout of Tandem, ")
    assert done.stderr.count("\n") == 1
