import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from functions.cli.main import app, main

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def verbs(group: Any, *path: str) -> list[tuple[str, ...]]:
    """Every verb of a group of commands, with the names of its groups."""
    commands = getattr(group, "commands", None)
    return [path] if commands is None else [verb for name in commands for verb in verbs(commands[name], *path, name)]


VERBS = verbs(typer.main.get_command(app))


def exit_code(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom functions.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print({'boto3', 'confluent_kafka', 'pydantic', 'moto', 'rich.live'} & sys.modules.keys(), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr.strip() == "set()"


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_the_help_of_every_verb_has_one_example(verb: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*verb, "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert result.exit_code == 0
    (example,) = (line.strip() for line in result.output.splitlines() if line.strip().startswith("Example: "))
    assert f" {' '.join(verb)}" in example


def test_every_verb_is_there() -> None:
    assert {" ".join(verb) for verb in VERBS} == {
        "worker", "pipelines", "new", "invoke", "try", "status", "resume", "quarantine", "rewind", "dead-letters list",
        "dead-letters show", "dead-letters redrive", "dead-letters discard", "dead-letters summary",
        "dead-letters export", "acls", "erase", "handover", "plan", "console", "demo", "bench", "smoke", "up",
        "down", "env", "produce", "tail",
    }  # fmt: skip


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("--version") == 0
    version = tomllib.loads(PYPROJECT.read_text())["project"]["version"]
    assert capsys.readouterr().out == f"tandem {version}\n"


def test_pipelines(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("pipelines", "--json") == 0
    (logins,) = (pipeline for pipeline in json.loads(capsys.readouterr().out) if pipeline["name"] == "logins")
    assert logins["topic"] == "user-login"
    assert [sink["kind"] for sink in logins["sinks"]] == ["lake", "counters", "table", "topic"]
    assert exit_code("pipelines") == 0
    assert "logins: from topic user-login to lake, counters logins-per-minute" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["demo", "--broker", "nonsense"], "--broker nonsense: expected auto, apache, embedded or HOST:PORT"),
        (["demo", "--input", "/none.jsonl"], "--input /none.jsonl: No such file or directory"),
    ],
)
def test_a_demo_that_cannot_start_is_one_line(
    arguments: list[str],
    error: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code(*arguments) == 2
    assert capsys.readouterr().err == f"error: {error}\n"


def test_a_worker_without_settings_names_them_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_KAFKA_AUTH", "nonsense")
    assert exit_code("worker") == 2
    error = capsys.readouterr().err
    assert error.startswith("error: TANDEM_STAGE: missing")
    assert error.count("\n") == 1
