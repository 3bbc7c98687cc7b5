"""The result of one measurement of a process, and how it is run."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
SECONDS: Final = 600.0


class Skipped(Exception):  # noqa: N818 - what the measurement was
    """Something is not measured; the message is the reason."""


class Failed(Exception):  # noqa: N818 - what the measurement has
    """A measurement did not come to its end; the message is the last line of what it printed."""


@dataclass(frozen=True, slots=True)
class Result:
    """`cpu` and `seconds` for all `records`; the peak of the resident memory, None where it is not measured.

    `requests` counts those to the stores by operation, where the stores answer over HTTP.
    """

    records: int
    seconds: float
    cpu: float
    peak_mib: float | None = None
    requests: Mapping[str, int] | None = None

    @property
    def microseconds(self) -> float:
        """CPU microseconds for one record."""
        return self.cpu / self.records * 1e6

    @property
    def rate(self) -> float:
        """Records per second of time."""
        return self.records / self.seconds


def environment(more: Mapping[str, str] | None = None, root: Path = ROOT) -> dict[str, str]:
    """Return this process's variables, with which a program imports from `root` first."""
    return os.environ | {"PYTHONPATH": str(root), "PYTHONWARNINGS": "ignore"} | dict(more or {})


def run(
    module: str, given: Mapping[str, Any], python: Path = Path(sys.executable), more: Mapping[str, str] | None = None
) -> Result:
    """Run a program in a new process. Raises Failed if it fails."""
    return Result(**printed(module, given, python, more))


def printed(
    module: str, given: Mapping[str, Any], python: Path = Path(sys.executable), more: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the JSON object that a program prints last. Raises Failed if there is none."""
    command = [str(python), "-m", f"sandbox.bench.programs.{module}", json.dumps(given)]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=environment(more), capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{module} ran for more than {SECONDS:g} s") from None
    return parse(module, done.stdout, done.returncode, done.stderr)


def parse(module: str, output: str, code: int, errors: str) -> dict[str, Any]:
    """Return the last line of a program's output. Raises Failed if it failed, or if the line is no JSON object."""
    with suppress(ValueError, TypeError):
        if not code:
            return dict(json.loads(_last(output)))
    raise Failed(f"{module} ended with {code}: {_last(errors) or _last(output)}")


def together(results: Sequence[Result]) -> Result:
    """Return the result of processes that ran at the same time."""
    peaks = [result.peak_mib for result in results if result.peak_mib is not None]
    return Result(
        sum(result.records for result in results),
        max(result.seconds for result in results),
        sum(result.cpu for result in results),
        max(peaks, default=None),
    )


def _last(text: str) -> str:
    return next((line for line in reversed(text.splitlines()) if line.strip()), "")
