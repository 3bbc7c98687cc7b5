"""Every dependency is pinned by hash and justified in docs/supply-chain.md, and the image installs exactly the lock."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = ("requirements.txt", "requirements-dev.txt")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found
    return re.sub(r"[._-]+", "-", found[0]).lower()


def locked(lock: str) -> dict[str, str]:
    """Each requirement of a lock, hashes and all, by name and marker; comments are left out."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / lock).read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return {line.partition(" --hash")[0].strip(): line for line in text.splitlines() if line.strip()}


def justified() -> list[str]:
    """The packages of the tables; each row says what for, how large, which licence, and what else there is."""
    text = (ROOT / "docs/supply-chain.md").read_text()
    rows = re.findall(r"^\| ([a-z0-9-]+) \|(.*)\|$", text[text.index("## Why each dependency") :], re.MULTILINE)
    for package, cells in rows:
        assert re.fullmatch(r" [^|]+ \| (MB|\d+\.\d) \| [^|]+ \| [^|]+ ", cells), package
    return [package for package, _ in rows if package != "package"]


def test_each_direct_dependency_is_justified_and_nothing_else() -> None:
    extras = PROJECT["optional-dependencies"].values()
    direct = {name(each) for group in (PROJECT["dependencies"], *extras) for each in group}
    assert sorted(justified()) == sorted(direct)


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_are_exact_and_hashed(lock: str) -> None:
    for requirement, line in locked(lock).items():
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==[\w.+!]+( ;.*)?$", requirement), requirement
        assert HASH.search(line), requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_index_and_no_address(lock: str) -> None:
    assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host|://|@ ", "".join(locked(lock).values()))


def test_what_runs_is_tested_as_it_is_locked() -> None:
    everything = {each.partition(" ;")[0] for each in locked("requirements-dev.txt")}
    bare = {re.sub(r"\[.*?\]", "", each) for each in everything}
    missing = {re.sub(r"\[.*?\]", "", each.partition(" ;")[0]) for each in locked("requirements.txt")} - bare
    assert missing == set()


def test_the_lock_of_what_runs_holds_all_that_it_needs_and_says_how_many() -> None:
    names = {name(each) for each in locked("requirements.txt")}
    assert {name(each) for each in PROJECT["dependencies"]} <= names
    assert f"`requirements.txt`: {len(names)} packages" in (ROOT / "docs/supply-chain.md").read_text()


DOCKERFILE = ROOT / "functions/Dockerfile"


def test_the_image_installs_the_lock_and_nothing_else() -> None:
    text = re.sub(r"\\\n\s*", " ", DOCKERFILE.read_text())
    (install,) = re.findall(r"\bpip\b.* install .*", text)
    assert "--require-hashes --no-deps --only-binary=:all: -r requirements.txt" in install
    assert not re.search(r"requirements-dev|apt-get|\bcurl\b|\bADD\b", text)


def test_the_image_stands_on_digests() -> None:
    text = DOCKERFILE.read_text()
    stages = set(re.findall(r"^FROM .* AS (\S+)", text, re.MULTILINE | re.IGNORECASE))
    bases = re.findall(r"^FROM (?:--\S+ )*(\S+)", text, re.MULTILINE)
    assert bases
    assert all(re.search(r"@sha256:[0-9a-f]{64}$", base) for base in bases if base not in stages), bases


def test_setup_installs_only_what_is_hashed() -> None:
    text = (ROOT / "Makefile").read_text()
    installs = [line for line in text.splitlines() if "pip install" in line]
    assert len(installs) == 2
    assert "--require-hashes --no-deps -r requirements-dev.txt" in installs[0]
    assert installs[1].rstrip().endswith("--no-deps --no-build-isolation -e .")
