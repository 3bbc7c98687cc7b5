"""An environment like the image's, without a container engine, as functions/Dockerfile and the manifests define it.

Only requirements-image.txt is installed, by its hashes. Root also gets the rest: a user without privileges, and
read-only file systems, in a separate mount namespace. Memory is limited by `ulimit -d`, which counts
what a process may write to, resident or not, and so is stricter than Kubernetes' limit of the same size. Threads get
small stacks, because it counts all that is reserved for them: 8 MiB for each thread of each Kafka client.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BUILD: Final = Path("build/image")
USER: Final = "65532"
SCRIPT: Final = """
set -eu
root=$1 python=$2 site=$3 kib=$4
shift 4
mount --bind "$python" "$root/python"
mount --bind "$site" "$root/site"
for at in / /tmp /var/tmp /dev/shm "$root/python" "$root/site"; do
    ! mountpoint -q "$at" || mount -o remount,bind,ro "$at"
done
ulimit -s 1024
ulimit -d "$kib"
exec setpriv --reuid "$0" --regid "$0" --clear-groups --no-new-privs --bounding-set=-all "$@"
"""


class ImageUnavailable(Exception):  # noqa: N818 - named as in sandbox.broker
    """Such an environment is impossible here. The message is the reason."""


@dataclass(frozen=True)
class Image:
    """`root` holds the image's own files, readable for all users."""

    root: Path
    site: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables that the image sets, and the paths."""
        site, python = (self.root / "site", self.root / "python") if isolated() else (self.site, Path(sys.base_prefix))
        return {
            "PYTHONPATH": f"{self.root / 'app'}:{site}",
            "LD_LIBRARY_PATH": str(python / "lib"),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": "/",
            "AWS_CONFIG_FILE": str(self.root / "config"),
            "TANDEM_MASK_KEY_FROM": f"file:{self.root / 'mask-key'}",
        }

    def command(self, memory: int, *arguments: str) -> tuple[str, ...]:
        """Return the command that runs Python in it, with so many bytes of memory."""
        kib, name = str(memory // 1024), f"python{sys.version_info.major}.{sys.version_info.minor}"
        options = ("-S", "-P", *arguments)  # -S: without the other packages of this Python
        if not isolated():
            python = Path(sys.base_prefix) / "bin" / name
            return "sh", "-c", 'ulimit -s 1024 && ulimit -d "$0" && exec "$@"', kib, str(python), *options
        inside = (str(self.root), sys.base_prefix, str(self.site), kib, str(self.root / "python" / "bin" / name))
        return "unshare", "--mount", "sh", "-c", SCRIPT, USER, *inside, *options


def isolated() -> bool:
    """Whether this machine allows changing the user and mounting read-only."""
    return os.geteuid() == 0 and all(map(shutil.which, ("unshare", "setpriv", "mountpoint")))


def image(root: Path) -> Image:
    """Set one up in an empty folder. ImageUnavailable if packages cannot be installed."""
    root.chmod(0o755)
    for folder in ("python", "site"):
        (root / folder).mkdir()
    shutil.copytree("functions", root / "app" / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "config").write_text("[default]\n")
    (root / "mask-key").write_bytes(b"0123456789abcdef")
    return Image(root, _site())


def _site() -> Path:
    """Return the folder of the packages, cached as long as the lock and Python stay the same."""
    digest = hashlib.blake2b(
        Path("requirements-image.txt").read_bytes() + sys.version.encode(), digest_size=8
    ).hexdigest()
    folder = (BUILD / digest).absolute()
    if not folder.exists():
        unfinished = folder.with_name(f"{digest}.{os.getpid()}")
        ended = subprocess.run(
            [
                sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", sys.executable, "--no-deps",
                "--require-hashes", "--only-binary=:all:", "--target", unfinished,
                "--requirements", "requirements-image.txt",
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if ended.returncode:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise ImageUnavailable(f"requirements-image.txt cannot be installed here: {ended.stderr.strip()[-300:]}")
        unfinished.rename(folder)
    return folder
