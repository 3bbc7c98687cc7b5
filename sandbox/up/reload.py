"""Restarting the runtimes when a pipeline's file is saved."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Final

from watchfiles import PythonFilter, watch

import functions

FOLDERS: Final = ("pipelines", "core", "adapters", "codecs", "sinks", "runtimes")
ROOT: Final = Path(functions.__path__[0])


@contextmanager
def watching(saved: Callable[[], None]) -> Iterator[None]:
    """Call `saved`, in another thread, after files of the runtimes were saved."""
    end = Event()

    def loop() -> None:
        for _ in watch(
            *(ROOT / name for name in FOLDERS), watch_filter=PythonFilter(), stop_event=end, raise_interrupt=False
        ):
            saved()

    thread = Thread(target=loop, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join(5)


def prepared(environment: Mapping[str, str]) -> str | None:
    """Import the pipelines in a process of their own, and create what they need; return what is wrong with them."""
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.up.prepare"], env=os.environ | environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    return None if done.returncode == 0 else " ".join(done.stderr.split()) or f"exit code {done.returncode}"
