"""The function's zip, built for both processors, and imported as on Lambda on the processor of this machine.

The wheels come from a package index: without one these tests are skipped, and say so.
"""

import json
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import ZipFile

import pytest

from cdk.errors import InvalidBundle
from cdk.runtimes.msk import bundle
from cdk.runtimes.msk.bundle import LAMBDA, Bundling, Platform
from functions.core.sinks import CustomSink
from functions.pipelines.logins import PIPELINE

UNPACKED = 70_000_000  # bytes; Lambda's limit is 250 MiB, and SnapStart's start time grows with it
MODULES = 650  # that importing the handler may load; on Python 3.13 it loads 489
SECONDS = 10.0  # a limit for a broken import, not a measurement: the median here is far below
X86 = Platform("3.13", "x86_64-manylinux_2_28")
MACHINES = {LAMBDA: 183, X86: 62}  # ELF's e_machine: EM_AARCH64, EM_X86_64
NOT_LOADED = (  # by importing the handler: what no pipeline needs, or only some, or only some ways to authenticate
    "boto3", "s3transfer", "confluent_kafka", "aws_msk_iam_sasl_signer", "prometheus_client", "typer", "rich", "click",
    "functions.cli", "sandbox", "functions.operate", "functions.runtimes.worker", "functions.pipelines.logins",
)  # fmt: skip
LATER = (  # what the function imports when it runs, not when it starts
    "functions.pipelines.logins", "functions.adapters.topic", "confluent_kafka",
    "aws_msk_iam_sasl_signer.MSKAuthTokenProvider",
)  # fmt: skip
CODE = """
import json, sys
folder, names = sys.argv[1], sys.argv[2:]
sys.path.insert(0, folder)
standard = [path for path in sys.path[1:] if path]
for name in names:
    __import__(name)
files = [file for file in (getattr(module, "__file__", None) for module in sys.modules.values()) if file]
strangers = [file for file in files if not file.startswith((folder, *standard))]
print(json.dumps({"modules": list(sys.modules), "strangers": strangers}))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Platform], Path]:
    made: dict[Platform, Path] = {}

    def build(platform: Platform) -> Path:
        if platform not in made:
            made[platform] = tmp_path_factory.mktemp("bundle")
            bundle.build(made[platform], platform)
        return made[platform]

    try:
        build(LAMBDA)
    except InvalidBundle as error:
        if any(sign in str(error) for sign in ("Failed to fetch", "error sending request", "dns error")):
            pytest.skip(f"needs a package index: {error}")
        raise
    return build


@pytest.mark.parametrize("platform", MACHINES, ids=lambda platform: platform.tag)
def test_every_library_is_for_the_platform(built: Callable[[Platform], Path], platform: Platform) -> None:
    libraries = list(built(platform).rglob("*.so*"))
    assert len(libraries) >= 5
    for library in libraries:
        head = library.read_bytes()[:20]
        assert head[:4] == b"\x7fELF", library
        assert int.from_bytes(head[18:20], "little") == MACHINES[platform], library
        assert "cpython-" not in library.name or "cpython-313-" in library.name, library


def test_it_is_small_enough(built: Callable[[Platform], Path]) -> None:
    assert sum(path.stat().st_size for path in bundle.files(built(LAMBDA))) < UNPACKED


def test_it_holds_what_is_locked_and_nothing_else(built: Callable[[Platform], Path]) -> None:
    lines = (bundle.ROOT / "requirements.txt").read_text().splitlines()
    locked = {line.split(" ")[0] for line in lines if line[:1].isalnum()}
    found = {
        path.name.removesuffix(".dist-info").replace("_", "-").rpartition("-")[::2]
        for path in built(LAMBDA).glob("*.dist-info")
    }
    kept = {line for line in locked if line.partition("==")[0] not in bundle.EXCLUDED_PACKAGES}
    assert {f"{name.lower()}=={version}" for name, version in found} == kept


def test_it_has_no_code_that_never_runs_on_lambda(built: Callable[[Platform], Path]) -> None:
    root = built(LAMBDA)
    held = {path.relative_to(root).as_posix() for path in bundle.files(root)}
    assert "functions/runtimes/msk/handler.py" in held
    assert "functions/pipelines/logins.py" in held
    assert not [name for name in held if name.startswith(tuple(f"functions/{part}" for part in bundle.EXCLUDED_PATHS))]
    assert not [name for name in held if "__pycache__" in name or name.startswith("bin/")]


def test_it_describes_the_services_that_the_function_and_own_sinks_use_and_no_others(
    built: Callable[[Platform], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    used = set(re.findall(r'self\._client\("([a-z0-9-]+)"', (bundle.ROOT / "functions/adapters/aws.py").read_text()))
    of_others = {"cloudwatch", "lambda", "ssm"}  # of workers and operators
    described = {path.name for path in (built(LAMBDA) / "botocore/data").iterdir() if path.is_dir()}
    assert described == bundle.services()
    assert used >= of_others
    assert described == used - of_others | {"sts"}, "sts is botocore's own, for credentials"

    @dataclass(frozen=True)
    class Queue(CustomSink):
        adapter = "package.queue:make"
        aws_services = ("sqs",)

    with_queue = replace(PIPELINE, sinks=(*PIPELINE.sinks, Queue("queue")))
    before = bundle.digest(LAMBDA)
    monkeypatch.setattr("functions.registry.load_all", lambda: {"logins": with_queue})
    assert bundle.services() == described | {"sqs"}
    assert bundle.digest(LAMBDA) != before


def test_the_same_files_make_the_same_zip(built: Callable[[Platform], Path], tmp_path: Path) -> None:
    for name in ("one", "two"):
        bundle.pack(built(LAMBDA) / "functions", tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    with ZipFile(tmp_path / "one") as packed:
        assert packed.namelist() == sorted(packed.namelist())
        assert {entry.external_attr >> 16 for entry in packed.infolist()} == {0o644}


def test_the_hash_is_that_of_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    assert bundle.digest(LAMBDA) == bundle.digest(LAMBDA) != bundle.digest(X86)
    before = bundle.digest(LAMBDA)
    monkeypatch.setattr(bundle, "requirements", lambda: "")
    assert bundle.digest(LAMBDA) != before


@pytest.mark.parametrize("interpreter", [sys.executable, f"python{LAMBDA.python}"], ids=["ours", "lambda's"])
def test_the_handler_imports_from_the_zip_alone(built: Callable[[Platform], Path], interpreter: str) -> None:
    loaded = imported(interpreter, built(platform_of(interpreter)))
    assert not [name for name in NOT_LOADED if name in loaded]
    assert len(loaded) < MODULES, f"{len(loaded)} modules"


def test_later_imports_succeed(built: Callable[[Platform], Path]) -> None:
    assert set(LATER) <= imported(sys.executable, built(platform_of(sys.executable)), *LATER)


def test_a_cold_import_is_within_its_budget(built: Callable[[Platform], Path]) -> None:
    folder, took = built(platform_of(sys.executable)), []
    for _ in range(3):
        began = time.monotonic()
        imported(sys.executable, folder)
        took.append(time.monotonic() - began)
    assert statistics.median(took) < SECONDS


def test_without_a_package_index_the_error_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(SystemExit) as ended:
        Bundling().try_bundle(str(tmp_path))
    assert str(ended.value).startswith("error: the function's zip: uv: ")
    assert "\n" not in str(ended.value)


def platform_of(interpreter: str) -> Platform:
    """The platform for which this interpreter can import the zip."""
    script = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        version = subprocess.run([interpreter, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        pytest.skip(f"needs {interpreter}")
    return Platform(version, f"{platform.machine()}-manylinux_2_28")


def imported(interpreter: str, folder: Path, *more: str) -> set[str]:
    """The modules that an interpreter loads which has the folder and the standard library, and nothing else."""
    names = ("functions.runtimes.msk.handler", *more)
    done = subprocess.run(
        [interpreter, "-I", "-S", "-c", CODE, str(folder), *names], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["strangers"] == []
    return set(found["modules"])
