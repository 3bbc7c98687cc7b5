"""A folder to run the release scripts in, with stand-ins for programs that use the network."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STAND_IN = """#!{python}
import json, sys
from pathlib import Path
here = Path(__file__)
command = " ".join([here.name, *sys.argv[1:]])
with open(here.parent / "calls", "a") as calls:
    calls.write(command + chr(10))
for part, answer, code in json.loads((here.parent / "answers").read_text()):
    if part in command:
        print(answer, end=chr(10) if answer else "")
        sys.exit(code)
"""


@dataclass
class Stage:
    """`answers`: (part of a command line, output, exit code). The first match is used."""

    folder: Path
    answers: list[tuple[str, str, int]] = field(default_factory=list)

    def stand_in(self, *programs: str) -> None:
        for program in programs:
            path = self.folder / "bin" / program
            path.write_text(STAND_IN.format(python=sys.executable))
            path.chmod(0o755)

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        (self.folder / "bin/answers").write_text(json.dumps(self.answers))
        path = f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            [ROOT / ".github/scripts" / script, *arguments],
            cwd=self.folder,
            env=os.environ | {"PATH": path, "TRIES": "3", "PAUSE": "0"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def calls(self, part: str = "") -> Sequence[str]:
        calls = self.folder / "bin/calls"
        return [line for line in calls.read_text().splitlines() if part in line] if calls.exists() else []


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    (tmp_path / "bin").mkdir()
    (tmp_path / "k8s/overlays/dev").mkdir(parents=True)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    return Stage(tmp_path)
