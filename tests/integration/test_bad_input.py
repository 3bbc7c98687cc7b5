"""Bad input to every verb, new ones included: one line that says what to do, and never a traceback.

A verb that needs arguments has them in ARGUMENTS; a new verb without them fails here with its name.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main
from typer.testing import CliRunner

from functions.cli.main import app
from tests.unit.test_cli import VERBS

ARGUMENTS: Final[dict[str, tuple[str, ...]]] = {
    "new": ("orders",), "invoke": ("tests/events/msk_partitions.json",), "try": ("logins", "-"), "resume": ("0",),
    "quarantine": ("0",), "rewind": ("0", "--to", "0"), "dead-letters show": ("user-login/0/0",), "erase": ("user-1",),
    "handover": ("logins", "--to", "worker"), "plan": ("logins",), "produce": ("logins", "--generate", "1"),
    "tail": ("lake",), "console": ("--port", "0"), "dead-letters discard": ("--reason", "failed"),
}  # fmt: skip
LOCAL: Final = {
    "new",
    "invoke",
    "try",
    "pipelines",
    "demo",
    "bench",
    "smoke",
    "up",
    "down",
    "env",
    "worker",
}  # no stage
OF_STAGE: Final = [verb for verb in VERBS if " ".join(verb) not in LOCAL]
NOWHERE: Final = "http://127.0.0.1:9"
AWAY: Final = {
    "TANDEM_STAGE": "nowhere", "TANDEM_LAKE_BUCKET": "lake", "TANDEM_DEAD_LETTER_BUCKET": "dead",
    "TANDEM_MASK_KEY_FROM": "file:/nowhere", "TANDEM_BOOTSTRAP_SERVERS": "127.0.0.1:9",
    "TANDEM_KAFKA_AUTH": "plaintext",
    "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": NOWHERE, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b",
    "AWS_EC2_METADATA_DISABLED": "true",
}  # fmt: skip
FOREIGN: Final = ("TANDEM_", "AWS_", "KUBECONFIG", "COLUMNS")
CLEAN: Final = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}


def run(
    verb: tuple[str, ...], *more: str, environment: dict[str, str], folder: Path
) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "functions.cli.main", *verb, *ARGUMENTS.get(" ".join(verb), ()), *more]
    return subprocess.run(
        command, env=CLEAN | {"TANDEM_SANDBOX": str(folder)} | environment, capture_output=True, text=True, check=False,
        timeout=240, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def together(
    verbs: list[tuple[str, ...]], *more: str, environment: dict[str, str], folder: Path
) -> dict[str, "subprocess.CompletedProcess[str]"]:
    """Run verbs at the same time: each takes a second to start, and some wait for an answer."""
    with ThreadPoolExecutor(6) as threads:
        ran = threads.map(lambda verb: run(verb, *more, environment=environment, folder=folder), verbs)
        return {" ".join(verb): done for verb, done in zip(verbs, ran, strict=True)}


def is_one_line(done: "subprocess.CompletedProcess[str]") -> bool:
    last = done.stderr.strip().splitlines()[-1:]
    return "Traceback" not in done.stdout + done.stderr and bool(last) and last[0].startswith("error: ")


def test_without_a_stage_every_verb_says_how_to_get_one(tmp_path: Path) -> None:
    for name, done in together(OF_STAGE, environment={}, folder=tmp_path).items():
        assert (done.returncode, is_one_line(done)) == (2, True), (name, done.stderr)
        assert "--stage: missing, and no sandbox is running (tandem up starts one)" in done.stderr, name


def test_a_stage_without_credentials_or_region_is_one_line(tmp_path: Path) -> None:
    nothing = {
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }  # fmt: skip
    for region in ({}, {"AWS_REGION": "us-east-1"}):
        for name, done in together(OF_STAGE, "--stage", "dev", environment=nothing | region, folder=tmp_path).items():
            assert (done.returncode in {1, 2}, is_one_line(done)) == (True, True), (name, done.stderr)


def test_stores_and_brokers_that_are_away_are_one_line(tmp_path: Path) -> None:
    waiting = {"console"}  # serves, and shows on its page what is away
    asking = [verb for verb in OF_STAGE if " ".join(verb) not in waiting]
    for name, done in together(asking, environment=AWAY, folder=tmp_path).items():
        assert (done.returncode in {1, 2}, is_one_line(done)) == (True, True), (name, done.returncode, done.stderr)


def test_a_pipeline_that_is_misspelled_is_suggested(tmp_path: Path) -> None:
    named = [verb for verb in OF_STAGE if ARGUMENTS.get(" ".join(verb), ("",))[0] != "logins" and verb != ("console",)]
    for name, done in together(named, "--pipeline", "login", environment=AWAY, folder=tmp_path).items():
        assert (done.returncode, "Did you mean logins?" in done.stderr) == (2, True), (name, done.stderr)
    for name in ("try", "handover", "plan", "produce"):
        arguments = [each.replace("logins", "login") for each in ARGUMENTS[name]]
        command = [sys.executable, "-m", "functions.cli.main", name, *arguments]
        done = subprocess.run(
            command, env=CLEAN | AWAY, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
        assert (done.returncode, "Did you mean logins?" in done.stderr) == (2, True), (name, done.stderr)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_help_fits_40_columns_and_has_no_colour_unasked(verb: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*verb, "--help"], env={"COLUMNS": "40", "NO_COLOR": "1"})
    assert result.exit_code == 0
    assert max(map(len, result.output.splitlines())) <= 40
    assert "\x1b[3" not in result.output


def test_a_reader_that_leaves_is_no_error() -> None:
    for verb in (
        ("pipelines",),
        ("plan", "logins", "--rate", "5"),
        ("plan", "logins", "--rate", "5", "--json"),
        ("--help",),
    ):
        command = f'"{sys.executable}" -m functions.cli.main {" ".join(verb)} | true'
        done = subprocess.run(["bash", "-c", command], env=CLEAN, capture_output=True, text=True, check=False)
        assert done.stderr == "", verb


@pytest.mark.parametrize(
    ("verb", "option"),
    [("demo", "--out"), ("bench", "--out"), ("dead-letters export", "--to"), ("plan", "--svg")],
)
def test_a_path_that_cannot_be_written_is_one_line(verb: str, option: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    more: dict[str, Any] = {"plan": ("--rate", "5"), "demo": ("--records", "10", "--broker", "embedded")}
    for path in (file / "below", "/proc/nothing"):
        done = run(tuple(verb.split()), option, str(path), *more.get(verb, ()), environment=AWAY, folder=tmp_path)
        assert (done.returncode in {1, 2}, is_one_line(done)) == (True, True), (done.returncode, done.stderr[-600:])


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00\x01", b"{", b"\n\n"], ids=["empty", "binary", "cut", "blank"])
def test_a_file_of_nonsense_is_an_answer(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    for verb in (
        ["try", "logins", str(file)],
        ["invoke", str(file), "--pipeline", "logins"],
        ["plan", "logins", "--profile", str(file)],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "functions.cli.main", *verb], env=CLEAN, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr, (verb, done.stderr)
    read = ("try logins", "plan logins --profile", "produce logins", "demo --input")
    for words, path in product(read, ("/nowhere", str(tmp_path))):
        done = subprocess.run(
            [sys.executable, "-m", "functions.cli.main", *words.split(), path], env=CLEAN | AWAY, capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert is_one_line(done), (words, path, done.stderr[-500:])


def test_every_verb_of_a_stage_has_its_arguments_here() -> None:
    group = typer.main.get_command(app)
    for verb in OF_STAGE:
        command: Any = group
        for name in verb:
            command = command.commands[name]
        needed = [each.name for each in command.params if each.required]
        assert not needed or " ".join(verb) in ARGUMENTS, f"{' '.join(verb)} needs {needed}: add them to ARGUMENTS"
