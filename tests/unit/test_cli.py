import json
import subprocess
import sys
from pathlib import Path

import pytest

from functions.cli import main


def exit_code(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys\nfrom functions.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print({'boto3', 'confluent_kafka', 'pydantic', 'moto', 'rich.live'} & sys.modules.keys(), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr.strip() == "set()"


def test_pipelines(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code("pipelines", "--json") == 0
    (logins,) = (each for each in json.loads(capsys.readouterr().out) if each["name"] == "logins")
    assert logins["topic"] == "user-login"
    assert [sink["kind"] for sink in logins["sinks"]] == ["lake", "counters", "table", "topic"]
    assert exit_code("pipelines") == 0
    assert "logins: from topic user-login to lake, counters logins-per-minute" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["demo", "--broker", "nonsense"], "--broker nonsense: takes auto, apache, embedded or HOST:PORT"),
        (["demo", "--input", "/none.jsonl"], "--input /none.jsonl: No such file or directory"),
    ],
)
def test_what_cannot_start(
    arguments: list[str], says: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert exit_code(*arguments) == 2
    assert capsys.readouterr().err == f"error: {says}\n"


def test_a_worker_without_settings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_KAFKA_AUTH", "nonsense")
    assert exit_code("worker") == 2
    said = capsys.readouterr().err
    assert said.startswith("error: TANDEM_STAGE: is missing")
    assert said.count("\n") == 1
