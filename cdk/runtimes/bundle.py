"""The function's zip: what requirements.txt locks and functions/, without what the function never runs.

One zip for all pipelines; TANDEM_PIPELINE says which one a function is. It is built here, without Docker: wheels for
Lambda's platform are unpacked, not run. The same sources give the same bytes, and the asset's hash is that of the
sources, so that it is known before the zip is built.

botocore's descriptions of services that nobody calls stay in it, though they are a third of it: a call to a new one
would otherwise work on EKS and fail on Lambda.
"""

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

ROOT: Final = Path(__file__).parents[2]
HANDLER: Final = "functions.runtimes.msk.handler.handler"
# Packages of the command line and of the worker's metrics page. A test imports the handler without them.
LEFT_OUT: Final = frozenset({
    "annotated-doc", "click", "colorama", "markdown-it-py", "mdurl", "prometheus-client", "pygments", "rich",
    "shellingham", "typer",
})  # fmt: skip
NOT_RUN: Final = (
    "cli.py",
    "local/",
    "operate/",
    "runtimes/worker/",
    "adapters/cloudwatch.py",
    "adapters/prometheus.py",
)
LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold, for every file
MB: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Platform:
    """Where the zip runs. `tag` is uv's name of it; Lambda's Python 3.13 has glibc 2.34 (Amazon Linux 2023)."""

    python: str
    tag: str


LAMBDA: Final = Platform("3.13", "aarch64-manylinux_2_28")


def code() -> awslambda.AssetCode:
    """The zip as an asset of the CDK's, built when a stack that is being deployed needs it."""
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
    """What the CDK calls instead of Docker."""

    def try_bundle(self, output_dir: str, *_: Any, **__: Any) -> bool:  # noqa: ANN401 - the options are Docker's
        """Leave the zip in that folder and say how large it is; or end the process with one line."""
        with TemporaryDirectory() as folder:
            try:
                build(Path(folder), LAMBDA)
            except InvalidBundle as error:
                raise SystemExit(f"error: {error}") from None  # any other would come back as a page of the CDK's own
            unpacked = sum(path.stat().st_size for path in files(Path(folder)))
            packed = pack(Path(folder), Path(output_dir, "function.zip"))
        sys.stderr.write(f"function.zip: {packed / MB:.1f} MB, {unpacked / MB:.1f} MB unpacked\n")
        return True


def build(folder: Path, platform: Platform) -> None:
    """Fill an empty folder with what the zip is to hold. Raises InvalidBundle when the wheels cannot be had."""
    command = [
        sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(folder), "--no-deps",
        "--require-hashes", "--only-binary", ":all:", "--python-version", platform.python,
        "--python-platform", platform.tag, "--no-compile-bytecode", "--link-mode", "copy", "-r", "-",
    ]  # fmt: skip
    done = subprocess.run(command, input=requirements(), capture_output=True, text=True, check=False)  # noqa: S603 - all of it is ours
    if done.returncode:
        raise InvalidBundle(f"the function's zip: uv: {' '.join(done.stderr.split()) or done.returncode}")
    for extra in (folder / ".lock", *folder.glob("bin/*")):
        extra.unlink(missing_ok=True)
    for name, source in sources():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(source.read_bytes())


def pack(folder: Path, to: Path) -> int:
    """Zip a folder's files, the same bytes for the same files; returns the zip's size in bytes."""
    with ZipFile(to, "w", ZIP_DEFLATED, compresslevel=6) as packed:
        for path in files(folder):
            entry = ZipInfo(path.relative_to(folder).as_posix(), LONG_AGO)
            entry.compress_type, entry.external_attr = ZIP_DEFLATED, 0o644 << 16
            packed.writestr(entry, path.read_bytes())
    return to.stat().st_size


def requirements() -> str:
    """requirements.txt without LEFT_OUT, hashes included. An entry begins a line, what belongs to it is indented."""
    kept, keep = [], False
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line and not line[0].isspace():
            keep = not line.startswith("#") and line.partition("==")[0] not in LEFT_OUT
        if keep:
            kept.append(line)
    return "\n".join(kept) + "\n"


def sources() -> Iterator[tuple[str, Path]]:
    """The files of functions/ that the function may run, by their place in the zip, in order."""
    for path in sorted((ROOT / "functions").rglob("*.py")):
        if not path.relative_to(ROOT / "functions").as_posix().startswith(NOT_RUN):
            yield path.relative_to(ROOT).as_posix(), path


def digest(platform: Platform) -> str:
    """Of all that decides what is in the zip, this module included."""
    parts = [platform.python, platform.tag, requirements(), Path(__file__).read_text(encoding="utf-8")]
    parts += [f"{name}\n{path.read_text(encoding='utf-8')}" for name, path in sources()]
    return sha256("\0".join(parts).encode()).hexdigest()


def files(folder: Path) -> list[Path]:
    """All files under a folder, in order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
