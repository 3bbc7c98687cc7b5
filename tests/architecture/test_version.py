"""A version is one number, wherever it is written, and the changelog has a section for it."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import yaml

from functions.cli.version import VERSION as PRINTED

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()
STANDARD = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_the_command_prints_this_version() -> None:
    assert PRINTED == VERSION


def test_the_image_is_labelled_with_this_version() -> None:
    (command,) = re.findall(
        r'--build-arg VERSION="\$\$\((sed .* pyproject\.toml)\)" --', (ROOT / "Makefile").read_text()
    )
    printed = subprocess.run(shlex.split(command), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert printed == f"{VERSION}\n"
    assert 'org.opencontainers.image.version="${VERSION}"' in (ROOT / "functions/Dockerfile").read_text()


def test_the_changelog_begins_with_this_version() -> None:
    sections = re.findall(r"^## (\d+\.\d+\.\d+) - (Unreleased|\d{4}-\d\d-\d\d)$", CHANGELOG, re.MULTILINE)
    assert len(sections) == CHANGELOG.count("\n## ")
    assert sections[0][0] == VERSION
    assert all(date != "Unreleased" for _, date in sections[1:])


def test_the_changelog_has_standard_sections_only() -> None:
    assert set(re.findall(r"^### (.*)$", CHANGELOG, re.MULTILINE)) <= STANDARD


def test_the_overlays_name_the_image_of_this_version() -> None:
    for stage in ("dev", "prod"):
        overlay = yaml.safe_load((ROOT / f"k8s/overlays/{stage}/kustomization.yaml").read_text())
        assert [image["newTag"] for image in overlay["images"]] == [VERSION]
