"""cdk.sh verifies the CDK's command line by its hash."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.workflows.conftest import ROOT

# Replaces Node.js: its `npm pack` writes a package that is not the pinned one.
NODE = """#!/bin/sh
[ "$2" = pack ] && echo poisoned >"$(echo "$4" | tr @ -).tgz"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (".github/scripts", ".venv/bin", "wheel/bin"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copy(ROOT / ".github/scripts/cdk.sh", tmp_path / ".github/scripts")
    for name, text in ((".venv/bin/python", f"#!/bin/sh\necho {tmp_path}/wheel\n"), ("wheel/bin/node", NODE)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


def test_another_package_is_refused_before_it_is_unpacked(folder: Path) -> None:
    done = subprocess.run([folder / ".github/scripts/cdk.sh", "diff"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith(": the package does not match the pinned hash\n")
    assert list((folder / "build").iterdir()) == []
