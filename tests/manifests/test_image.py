"""The image: its contents, its user, and its match with the manifests."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from functions.settings import Settings
from tests.manifests.conftest import ROOT, Rendered

DOCKERFILE = ROOT / "functions" / "Dockerfile"


@pytest.fixture
def final() -> str:
    """The final stage of the Dockerfile."""
    return DOCKERFILE.read_text().rpartition("\nFROM ")[2]


def instruction(stage: str, name: str) -> str:
    (only,) = re.findall(rf"^{name} (.+)$", stage, re.MULTILINE)
    return str(only)


def test_hadolint_passes() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_its_entrypoint_is_the_command(final: str, overlay: Rendered) -> None:
    assert instruction(final, "ENTRYPOINT") == '["tandem"]'
    assert "command" not in overlay.pods["worker-logins"]["containers"][0]
    assert int(instruction(final, "EXPOSE")) == Settings.model_fields["http_port"].default


def test_its_user_matches_the_pods(final: str, overlay: Rendered) -> None:
    chosen = overlay.pods["worker-logins"]["securityContext"]
    assert instruction(final, "USER") == f"{chosen['runAsUser']}:{chosen['runAsGroup']}"
    assert chosen["runAsUser"] > 0


def test_both_stages_have_the_same_python() -> None:
    text = DOCKERFILE.read_text()
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(bases) == 2
    assert len(set(bases)) == 1
    (version,) = re.findall(r"^python:(3\.\d+)-slim", bases[0])
    assert set(re.findall(r"python(3\.\d+)/", text)) == {version}


def test_packages_are_installed_by_hash_as_wheels() -> None:
    text = DOCKERFILE.read_text()
    assert all(flag in text for flag in ("--require-hashes", "--only-binary=:all:", "-r requirements-image.txt"))
    locked = (ROOT / "requirements-image.txt").read_text()
    pinned = re.findall(r"^[a-z0-9-]+==\S+", locked, re.MULTILINE)
    assert pinned
    assert all(f"{each} " in locked for each in pinned)
    assert locked.count("--hash=sha256:") >= len(pinned)


def test_the_build_context_has_only_the_lock_and_functions() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    kept = [rule for rule in rules if rule.startswith("!")]
    assert rules[1] == "*"
    assert kept == ["!requirements-image.txt", "!functions"]


def test_only_the_build_context_is_copied() -> None:
    copied = re.findall(r"^COPY (?!--from)(\S+)", DOCKERFILE.read_text(), re.MULTILINE)
    assert copied == ["requirements-image.txt", "functions"]
