"""difference.sh prints the changes to the templates, stack by stack, from two syntheses and without an account."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from tests.workflows.conftest import ROOT

SCRIPTS: Final = ".github/scripts"
# Without the variables of a git hook, which may run these tests: they refer to another repository.
ENVIRONMENT: Final = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
KAFKA, STORES = "devKafka0A1B2C3D", "devStores0A1B2C3D"
# An app that writes the templates of a file. Without templates it writes no manifest, like a broken app.
APP: Final = """
import json, os, sys
from pathlib import Path
out = Path(os.environ["CDK_OUTDIR"])
assert json.loads(os.environ["CDK_CONTEXT_JSON"])["aws:cdk:bundling-stacks"] == []
(out / "assembly-dev").mkdir(parents=True)
templates = json.loads(Path("templates.json").read_text())
for name, template in templates.items():
    (out / "assembly-dev" / f"{name}.template.json").write_text(json.dumps(template))
if templates:
    (out / "manifest.json").touch()
sys.exit("the checks found something")
"""
CDK: Final = '#!/bin/sh\necho called: "$@"\n'


class Repository:
    """A repository whose only commit is the base. `templates` sets what the tree synthesises to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / SCRIPTS).mkdir(parents=True)
        shutil.copy(ROOT / SCRIPTS / "difference.sh", folder / SCRIPTS)
        (folder / SCRIPTS / "cdk.sh").write_text(CDK)
        (folder / SCRIPTS / "cdk.sh").chmod(0o755)
        (folder / "app.py").write_text(APP)
        (folder / "cdk.json").write_text(json.dumps({"context": {"stages": {}}}))
        self.templates({KAFKA: {"a": 1}, STORES: {"b": 1}})
        self._git("init", "--quiet")
        self._git("add", ".")
        self._git("-c", "user.name=n", "-c", "user.email=e@example.com", "commit", "--quiet", "--message", "base")
        (folder / ".venv").symlink_to(sys.prefix)

    def templates(self, templates: Mapping[str, object]) -> None:
        (self.folder / "templates.json").write_text(json.dumps(templates))

    def difference(self) -> subprocess.CompletedProcess[str]:
        command = [f"{SCRIPTS}/difference.sh", "HEAD"]
        return subprocess.run(
            command, cwd=self.folder, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60
        )

    def _git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.folder, env=ENVIRONMENT, check=True)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_change_without_template_changes_is_reported(repository: Repository) -> None:
    done = repository.difference()
    assert (done.returncode, done.stdout) == (0, "No template changes. The functions' code may still change.\n")


def test_each_changed_stack_is_compared_with_its_old_template(repository: Repository) -> None:
    repository.templates({KAFKA: {"a": 2}, STORES: {"b": 1}})
    output = repository.difference().stdout
    assert "<summary><code>dev/Kafka</code></summary>" in output
    assert "called: diff --app " in output
    assert f"old/assembly-dev/{KAFKA}.template.json" in output
    assert "Stores" not in output


def test_a_new_stack_is_compared_with_nothing_and_a_removed_one_is_named(repository: Repository) -> None:
    repository.templates({KAFKA: {"a": 1}, "devMonitoring0A1B2C3D": {}})
    output = repository.difference().stdout
    assert "<summary><code>dev/Monitoring</code></summary>" in output
    assert "/none.json" in output
    assert f"**{STORES}** was removed" in output


def test_a_failed_synthesis_prints_its_error(repository: Repository) -> None:
    repository.templates({})
    done = repository.difference()
    assert done.returncode != 0
    assert "the checks found something" in done.stderr


def test_a_failed_comparison_prints_its_error(repository: Repository) -> None:
    (repository.folder / SCRIPTS / "cdk.sh").write_text("#!/bin/sh\necho broken\nexit 1\n")
    repository.templates({KAFKA: {"a": 2}, STORES: {"b": 1}})
    done = repository.difference()
    assert (done.returncode, done.stderr) == (1, "broken\n")
