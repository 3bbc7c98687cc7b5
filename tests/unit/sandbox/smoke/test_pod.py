"""The program for a pod needs nothing but what the image has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from functions.core.errors import Misconfigured, Unavailable
from sandbox.smoke.pod import FILE, MODULES, Pod, archive, pod_of

KUBECTL = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls"
case "$*" in *broken*) echo 'pods "broken" not found' >&2; exit 1;; esac
cat > "$(dirname "$0")/copied"
"""
LOADED = """
import sys
sys.path.insert(0, sys.argv.pop())
import sandbox.smoke.__main__
loaded = (name for name in sys.modules if name.split(".")[0] in {"boto3", "rich", "moto", "sandbox"})
print([sandbox.__path__[0], *loaded])
"""


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "kubectl"
    path.write_text(KUBECTL)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def test_it_loads_no_module_but_its_own_and_those_of_the_image(tmp_path: Path) -> None:
    file = tmp_path / "smoke.pyz"
    file.write_bytes(archive())
    command = [sys.executable, "-c", LOADED, str(file)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"{file}/sandbox" in done.stdout
    names = {name.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".") for name in MODULES}
    loaded = set(done.stdout.strip("[]\n").replace("'", "").split(", ")[1:])
    assert loaded == names


def test_it_is_copied_into_the_pod(kubectl: Path) -> None:
    command = Pod("tandem-admin", "admin").prepare()
    execute = ["kubectl", "exec", "--stdin", "--namespace", "tandem-admin", "admin", "--"]
    assert command == [*execute, "python", FILE]
    assert (kubectl / "copied").read_bytes() == archive()
    assert (kubectl / "calls").read_text().startswith("exec --stdin --namespace tandem-admin admin -- sh -c cat > ")


def test_a_pod_that_is_not_there_is_reported(kubectl: Path) -> None:
    with pytest.raises(Unavailable, match='kubectl: pods "broken" not found'):
        Pod("tandem-admin", "broken").prepare()
    (kubectl / "kubectl").unlink()


@pytest.mark.parametrize("text", ["admin", "/admin", "tandem-admin/", ""])
def test_a_pod_has_a_namespace(text: str) -> None:
    with pytest.raises(Misconfigured, match="--pod: expected NAMESPACE/POD"):
        pod_of(text)
    assert pod_of("a/b") == Pod("a", "b")
