"""The folder of this checkout's sandbox: its data, and what other commands need to reach it while it runs.

Laws: one sandbox runs at a time, because it holds a lock that the kernel releases however it ends. `running.json`
appears complete, once everything answers; without the lock it is a leftover, and ignored.
"""

import fcntl
import json
import os
import shutil
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


def chosen_folder() -> Path:
    """Return the folder that the variable names, or the checkout's."""
    return Path(os.environ.get(FOLDER_VARIABLE, FOLDER))


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

    def clear(self) -> None:
        """Delete all data."""
        for path in (self.kafka, self.logs):
            shutil.rmtree(path, ignore_errors=True)
        for path in (self.stores, self.path / "mask-key"):
            path.unlink(missing_ok=True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock. Misconfigured if another sandbox holds it, or the folder cannot be written."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise Misconfigured(f"{self.path}: {error.strerror}: expected a folder that can be written") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise Misconfigured(ALREADY) from None
        try:
            self._running.unlink(missing_ok=True)
            yield
        finally:
            self._running.unlink(missing_ok=True)
            os.close(lock)

    @property
    def is_held(self) -> bool:
        """Whether a sandbox runs, or is about to."""
        try:
            lock = os.open(self.path / "lock", os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
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
    def _running(self) -> Path:
        return self.path / "running.json"


def find() -> Mapping[str, str] | None:
    """Return the variables of this checkout's running sandbox; None if there is none."""
    running = SandboxFolder().running()
    return None if running is None else running["environment"]
