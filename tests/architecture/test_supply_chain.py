"""Every dependency is pinned by hash and justified in docs/supply-chain.md, and the image installs exactly the lock."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest

from functions import registry
from functions.codecs.avro import Avro
from functions.codecs.json_schema import JsonSchema
from functions.codecs.protobuf import Protobuf
from functions.codecs.zstd import Zstd
from functions.sinks.postgres import Postgres

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, GROUPS = PYPROJECT["project"], PYPROJECT["dependency-groups"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = ("requirements.txt", "requirements-image.txt", "requirements-sandbox.txt", "requirements-dev.txt")
SMALLER_AND_LARGER = (
    ("requirements.txt", "requirements-image.txt"),
    ("requirements.txt", "requirements-sandbox.txt"),
    ("requirements-image.txt", "requirements-dev.txt"),
    ("requirements-sandbox.txt", "requirements-dev.txt"),
)
OF_OPERATORS = ("console", "kubernetes")  # the extras of verbs, which the image has
OF_MODELS = ("msgspec",)
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
    groups = (PROJECT["dependencies"], *EXTRAS.values(), *GROUPS.values())
    direct = {name(each) for group in groups for each in group if isinstance(each, str)}
    assert sorted(justified()) == sorted(direct)


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_are_exact_and_hashed(lock: str) -> None:
    for requirement, line in locked(lock).items():
        assert re.match(r"[\w.-]+(\[[\w,-]+\])?==[\w.+!]+( ;.*)?$", requirement), requirement
        assert HASH.search(line), requirement


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_index_and_no_address(lock: str) -> None:
    assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host|://|@ ", "".join(locked(lock).values()))


def versions(lock: str) -> set[str]:
    return {re.sub(r"\[.*?\]", "", requirement.partition(" ;")[0]) for requirement in locked(lock)}


@pytest.mark.parametrize(("smaller", "larger"), SMALLER_AND_LARGER)
def test_a_larger_lock_holds_the_smaller_one_in_the_same_versions(smaller: str, larger: str) -> None:
    assert versions(smaller) - versions(larger) == set()


def test_the_lock_of_what_runs_holds_all_that_it_needs_and_says_how_many() -> None:
    names = {name(each) for each in locked("requirements.txt")}
    assert {name(each) for each in PROJECT["dependencies"]} <= names
    of_image = {name(each) for each in locked("requirements-image.txt")}
    assert {name(each) for extra in OF_OPERATORS for each in EXTRAS[extra]} <= of_image
    page = (ROOT / "docs/supply-chain.md").read_text()
    assert f"`requirements.txt`: {len(names)} packages" in page
    assert f"`requirements-image.txt`: {len(of_image)} packages" in page


def test_the_lock_of_what_runs_holds_the_packages_of_the_pipelines_extras_and_of_no_others() -> None:
    names = {name(each) for each in locked("requirements.txt")}
    needed = {name(each) for extra in registry.extras() for each in EXTRAS[extra]}
    assert names & {name(each) for extra in EXTRAS.values() for each in extra} == needed


def test_each_extra_is_that_of_a_codec_a_sink_models_or_the_operators() -> None:
    codecs = (Avro(), Protobuf("m:M"), JsonSchema(), Zstd())
    assert {extra for codec in codecs for extra in codec.extras} | {*Postgres.extras, *OF_OPERATORS, *OF_MODELS} == set(
        EXTRAS
    )


DOCKERFILE = ROOT / "functions/Dockerfile"


def test_the_image_installs_the_lock_and_nothing_else() -> None:
    text = re.sub(r"\\\n\s*", " ", DOCKERFILE.read_text())
    (install,) = re.findall(r"\bpip\b.* install .*", text)
    assert "--require-hashes --no-deps --only-binary=:all: -r requirements-image.txt" in install
    assert not re.search(r"requirements-dev|apt-get|\bcurl\b|\bADD\b", text)


def test_the_image_stands_on_digests() -> None:
    text = DOCKERFILE.read_text()
    stages = set(re.findall(r"^FROM .* AS (\S+)", text, re.MULTILINE | re.IGNORECASE))
    bases = re.findall(r"^FROM (?:--\S+ )*(\S+)", text, re.MULTILINE)
    assert bases
    assert all(re.search(r"@sha256:[0-9a-f]{64}$", base) for base in bases if base not in stages), bases


def test_setup_installs_only_what_is_hashed() -> None:
    assert "pip install" not in (ROOT / "Makefile").read_text()
    setup = (ROOT / ".ci/setup").read_text().splitlines()
    uv, lock, tandem = (line for line in setup if "pip install" in line)
    assert uv.endswith("--require-hashes --no-deps -r .venv/uv.txt")
    assert lock.partition(" 2>&1 | sed ")[0].endswith('--require-hashes --no-deps -r "$lock"')
    assert tandem.endswith("--no-deps --no-build-isolation -e .")


def test_setup_takes_uv_from_the_lock() -> None:
    (command,) = re.findall(r"^ *(sed .*) >\.venv/uv\.txt$", (ROOT / ".ci/setup").read_text(), re.MULTILINE)
    entry = subprocess.run(shlex.split(command), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    (requirement,) = (line for line in entry.splitlines() if line[0].isalpha())
    assert requirement.partition(" ")[0] in versions("requirements-dev.txt")
    assert HASH.search(entry)
