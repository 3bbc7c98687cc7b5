"""The function's zip: the packages of requirements.txt and functions/, without those that the function never runs.

All pipelines share one zip; TANDEM_PIPELINE selects a function's pipeline. It is built here, without Docker: wheels for
Lambda's platform are unpacked, not run. The same sources give the same bytes. The asset's hash is computed from the
sources, so it is known before the zip is built.

Parts of packages that the function never runs are left out: UNUSED_PARTS, and of botocore's descriptions of 400
services, a fifth of its size, all but those of AWS_SERVICES and of the services that the pipelines' own sinks name. A
client of any other service cannot be created on Lambda.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import jsii
from aws_cdk import AssetHashType, BundlingOptions, BundlingOutput, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as awslambda

from cdk.errors import InvalidBundle
from functions import registry

ROOT: Final = Path(__file__).parents[3]
HANDLER: Final = "functions.runtimes.msk.handler.handler"
# Packages of the command line and of the worker's metrics page. A test imports the handler without them.
EXCLUDED_PACKAGES: Final = frozenset({
    "annotated-doc", "click", "colorama", "markdown-it-py", "mdurl", "prometheus-client", "pygments", "rich",
    "shellingham", "typer",
})  # fmt: skip
EXCLUDED_PATHS: Final = (
    "cli/",
    "operate/",
    "runtimes/worker/",
    "adapters/cloudwatch.py",
    "adapters/handover_records.py",
    "adapters/kubernetes_api.py",
    "adapters/mapping_switch.py",
    "adapters/memory_handover.py",
    "adapters/prometheus.py",
    "adapters/traffic_history.py",
    "adapters/worker_switch.py",
)
# Parts of packages that the function never runs: Lambda's HTTP APIs, Confluent's registry client, lists of components,
# sources and types.
UNUSED_PARTS: Final = (
    "aws_lambda_powertools/event_handler", "confluent_kafka/schema_registry", "*.dist-info/sboms", "**/*.pyi", "**/*.c",
)  # fmt: skip
AWS_SERVICES: Final = frozenset({"dynamodb", "glue", "s3", "secretsmanager", "sts"})
EARLIEST_TIME: Final = (1980, 1, 1, 0, 0, 0)  # that a zip can hold; every file gets it
MB: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Platform:
    """The platform of the zip. `tag` is uv's name for it; Lambda's Python 3.13 has glibc 2.34 (Amazon Linux 2023)."""

    python: str
    tag: str


LAMBDA: Final = Platform("3.13", "aarch64-manylinux_2_28")


def code() -> awslambda.AssetCode:
    """The zip as a CDK asset, which is built when a stack that is being deployed needs it."""
    return awslambda.Code.from_asset(
        str(ROOT / "functions"),
        asset_hash=digest(LAMBDA),
        asset_hash_type=AssetHashType.CUSTOM,
        bundling=BundlingOptions(
            image=DockerImage.from_registry("never-pulled"), local=Bundling(), output_type=BundlingOutput.ARCHIVED
        ),
    )


@jsii.implements(ILocalBundling)
class Bundling:
    """The bundler that the CDK calls instead of Docker."""

    def try_bundle(self, output_dir: str, *_: Any, **__: Any) -> bool:  # noqa: ANN401 - Docker's options
        """Write the zip to that folder and print its size, or end the process with a one-line error."""
        with TemporaryDirectory() as folder:
            try:
                build(Path(folder), LAMBDA)
            except InvalidBundle as error:
                raise SystemExit(f"error: {error}") from None  # the CDK prints a page about any other exception
            unpacked = sum(path.stat().st_size for path in files(Path(folder)))
            packed = pack(Path(folder), Path(output_dir, "function.zip"))
        sys.stderr.write(f"function.zip: {packed / MB:.1f} MB, {unpacked / MB:.1f} MB unpacked\n")
        return True


def build(folder: Path, platform: Platform) -> None:
    """Fill an empty folder with the zip's files. Raises InvalidBundle if the wheels cannot be installed."""
    command = [
        sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder), "--no-deps",
        "--require-hashes", "--only-binary", ":all:", "--python-version", platform.python,
        "--python-platform", platform.tag, "--no-compile-bytecode", "--link-mode", "copy", "-r", "-",
    ]  # fmt: skip
    done = subprocess.run(command, input=requirements(), capture_output=True, text=True, check=False)  # noqa: S603 - a fixed command
    if done.returncode:
        raise InvalidBundle(f"the function's zip: uv: {' '.join(done.stderr.split()) or done.returncode}")
    for extra in (folder / ".lock", *folder.glob("bin/*")):
        extra.unlink(missing_ok=True)
    kept = services()
    for package in ("botocore", "boto3"):
        for service in (folder / package / "data").iterdir():
            if service.is_dir() and service.name not in kept:
                shutil.rmtree(service)
    for part in [path for pattern in UNUSED_PARTS for path in folder.glob(pattern)]:
        shutil.rmtree(part) if part.is_dir() else part.unlink()
    for name, source in sources():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(source.read_bytes())


def pack(folder: Path, archive: Path) -> int:
    """Zip a folder's files, reproducibly; returns the zip's size in bytes."""
    with ZipFile(archive, "w", ZIP_DEFLATED, compresslevel=6) as packed:
        for path in files(folder):
            entry = ZipInfo(path.relative_to(folder).as_posix(), EARLIEST_TIME)
            entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o644 << 16
            packed.writestr(entry, path.read_bytes())
    return archive.stat().st_size


def requirements() -> str:
    """requirements.txt without EXCLUDED_PACKAGES, with hashes. An entry begins a line, its options are indented."""
    kept, keep = [], False
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line and not line[0].isspace():
            keep = not line.startswith("#") and line.partition("==")[0] not in EXCLUDED_PACKAGES
        if keep:
            kept.append(line)
    return "\n".join(kept) + "\n"


def services() -> frozenset[str]:
    """The AWS services of which a function can create clients, by botocore's names."""
    own = (sink for pipeline in registry.load_all().values() for sink in pipeline.custom_sinks)
    return AWS_SERVICES.union(*(sink.aws_services for sink in own))


def sources() -> Iterator[tuple[str, Path]]:
    """The files of functions/ that the function can run: path in the zip and file, sorted."""
    for path in sorted((ROOT / "functions").rglob("*.py")):
        if not path.relative_to(ROOT / "functions").as_posix().startswith(EXCLUDED_PATHS):
            yield path.relative_to(ROOT).as_posix(), path


def digest(platform: Platform) -> str:
    """SHA-256 of everything that determines the zip's content, this module included."""
    parts = [platform.python, platform.tag, requirements(), *sorted(services())]
    parts.append(Path(__file__).read_text(encoding="utf-8"))
    parts += [f"{name}\n{path.read_text(encoding='utf-8')}" for name, path in sources()]
    return sha256("\0".join(parts).encode()).hexdigest()


def files(folder: Path) -> list[Path]:
    """All files in a folder and below, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
