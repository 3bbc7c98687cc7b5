"""Running the part of a smoke run that reaches the stage in a pod: one file is copied into it, and started there.

The pod has the worker's image, so the file needs nothing else, and no package of this machine.
"""

import subprocess
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from functions.core.errors import Misconfigured, Unavailable

ROOT: Final = Path(__file__).parents[2]
MODULES: Final = (
    "sandbox/__init__.py", "sandbox/demo/__init__.py", "sandbox/demo/logins.py", "sandbox/demo/parse.py",
    "sandbox/demo/records.py", "sandbox/demo/verify.py", "sandbox/smoke/__init__.py", "sandbox/smoke/__main__.py",
    "sandbox/smoke/announcements.py", "sandbox/smoke/clean.py", "sandbox/smoke/contents.py", "sandbox/smoke/kafka.py",
    "sandbox/smoke/plan.py", "sandbox/smoke/run.py", "sandbox/smoke/target.py",
)  # fmt: skip
MAIN: Final = "import sys\nfrom sandbox.smoke.__main__ import main\nsys.exit(main())\n"
FILE: Final = "/tmp/tandem-smoke.pyz"  # noqa: S108 - in the pod, whose file system may be read-only elsewhere
COPY_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Pod:
    """A running pod of the worker's image that reaches the brokers, such as the admin pod."""

    namespace: str
    name: str

    def prepare(self) -> list[str]:
        """Copy the program into the pod; return the command that runs it. Unavailable if kubectl fails."""
        execute = ["kubectl", "exec", "--stdin", "--namespace", self.namespace, self.name, "--"]
        try:
            done = subprocess.run(
                [*execute, "sh", "-c", f"cat > {FILE}"], input=archive(), capture_output=True, check=False,
                timeout=COPY_SECONDS,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable(f"kubectl: {error}") from None
        if done.returncode:
            raise Unavailable(f"kubectl: {done.stderr.decode(errors='replace').strip()}")
        return [*execute, "python", FILE]


def pod_of(text: str) -> Pod:
    """Parse NAMESPACE/POD; Misconfigured for anything else."""
    namespace, _, name = text.partition("/")
    if not (namespace and name):
        raise Misconfigured(f"--pod: expected NAMESPACE/POD, like tandem-admin/admin, got {text!r}")
    return Pod(namespace, name)


def archive() -> bytes:
    """Return the program as one file that Python runs."""
    file = BytesIO()
    with ZipFile(file, "w") as zipped:
        zipped.writestr("__main__.py", MAIN)
        for module in MODULES:
            zipped.write(ROOT / module, module)
    return file.getvalue()
