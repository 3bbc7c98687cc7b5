"""The folder of this checkout's sandbox: its data, and what other commands need to reach it while it runs.

Laws: one sandbox runs at a time, because it holds a lock that the kernel releases however it ends. `running.json`
appears complete, once everything answers; without the lock it is a leftover, and ignored.
"""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import functions
from functions.core.errors import Misconfigured

ALREADY: Final = "a sandbox is running already: see tandem status, or end it by tandem down"
FOLDER: Final = Path(functions.__path__[0]).parent / "build" / "sandbox"
FOLDER_VARIABLE: Final = "TANDEM_SANDBOX"  # another folder, for a second sandbox
PROBE_TRIES: Final = 50
PROBE_SECONDS: Final = 0.02


def chosen_folder() -> Path:
    """Return the folder that the variable names, or the checkout's if it is unset or empty."""
    return Path(os.environ.get(FOLDER_VARIABLE) or FOLDER)


@dataclass(frozen=True, slots=True)
class SandboxFolder:
    """The files of a sandbox."""

    path: Path = field(default_factory=chosen_folder)

    @property
    def kafka(self) -> Path:
        """The broker's data."""
        return self.path / "kafka"

    @property
    def stores(self) -> Path:
        """The content of the stores, as of the last orderly end."""
        return self.path / "stores.sqlite"

    @property
    def log(self) -> Path:
        """The output of a sandbox in the background."""
        return self.path / "up.log"

    @property
    def logs(self) -> Path:
        """The output of the runtimes."""
        return self.path / "logs"

    def claim(self) -> None:
        """Create the folder and its lock file. Misconfigured if that fails, or if the folder has other content."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if not self._lock.exists() and any(self.path.iterdir()):
                raise Misconfigured(f"{FOLDER_VARIABLE}: {self.path}: expected an empty folder, or that of a sandbox")
            self._lock.touch(0o644)
        except OSError as error:
            raise Misconfigured(f"{self.path}: {error.strerror}: expected a folder that can be written") from None

    def clear(self) -> None:
        """Delete all data. A folder that is not a sandbox's is left alone: it may have `logs` of its own."""
        if not self._lock.exists():
            return
        for path in (self.kafka, self.logs):
            shutil.rmtree(path, ignore_errors=True)
        for path in (self.stores, self.path / "mask-key"):
            path.unlink(missing_ok=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock. Misconfigured if another sandbox holds it, or the folder cannot be written."""
        self.claim()
        try:
            lock = os.open(self._lock, os.O_RDWR)
        except OSError as error:
            raise Misconfigured(f"{self._lock}: {error.strerror}: expected a file that can be written") from None
        if not _locked(lock):
            os.close(lock)
            raise Misconfigured(ALREADY)
        try:
            self._running.unlink(missing_ok=True)
            yield
        finally:
            self._running.unlink(missing_ok=True)
            os.close(lock)

    @property
    def is_held(self) -> bool:
        """Whether a sandbox runs, or is about to.

        The probe shares its lock with other probes: two commands at once must not take each other for a sandbox.
        """
        try:
            lock = os.open(self._lock, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def publish(self, environment: Mapping[str, str]) -> None:
        """Announce that everything answers, by these variables."""
        unfinished = self._running.with_suffix(".unfinished")
        unfinished.write_text(json.dumps({"pid": os.getpid(), "environment": dict(environment)}))
        unfinished.chmod(0o600)
        unfinished.rename(self._running)

    def running(self) -> dict[str, Any] | None:
        """Return `pid` and `environment` of the running sandbox; None if there is none."""
        if not self.is_held:
            return None
        try:
            return dict(json.loads(self._running.read_text()))
        except OSError:
            return None

    @property
    def _lock(self) -> Path:
        return self.path / "lock"

    @property
    def _running(self) -> Path:
        return self.path / "running.json"


def _locked(lock: int) -> bool:
    """Lock the open file, and return whether that succeeded. Tries for a second: a probe holds it for an instant."""
    for _ in range(PROBE_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PROBE_SECONDS)
        else:
            return True
    return False


def find() -> Mapping[str, str] | None:
    """Return the variables of this checkout's running sandbox; None if there is none."""
    running = SandboxFolder().running()
    return None if running is None else running["environment"]
