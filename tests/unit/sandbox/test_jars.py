"""Fetching Kafka's jars, with a Maven that only pretends."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.broker import jars, kraft

ROOT = Path(__file__).parents[3]
OUTPUT = '"${6#*=}"'  # of -DoutputDirectory=


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a line for each call of Maven."""
    calls = tmp_path / "calls"
    maven = tmp_path / "bin/mvn"
    maven.parent.mkdir()
    maven.write_text(f"#!/bin/sh\necho call >>{calls}\nmkdir -p {OUTPUT}\nsleep 0.3\ntouch {OUTPUT}/kafka.jar\n")
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", f"{maven.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return calls


def test_one_fetches_and_the_others_wait(calls: Path) -> None:
    with ThreadPoolExecutor(4) as threads:
        folders = set(threads.map(lambda _: jars.fetch(kraft.VERSION, lambda _: None), range(4)))
    assert calls.read_text() == "call\n"
    (folder,) = folders
    assert [jar.name for jar in folder.iterdir()] == ["kafka.jar"]


def program() -> subprocess.CompletedProcess[str]:
    """The program on a Python without packages."""
    command = [sys.executable, "-S", "-m", "sandbox.broker.jars"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_program_needs_no_package_and_is_silent(calls: Path) -> None:
    done = program()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (jars.cache() / f"kafka-{kraft.VERSION}" / "kafka.jar").exists()
    program()
    assert calls.read_text() == "call\n"


def test_the_program_is_silent_without_maven_too(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    done = program()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not calls.exists()
