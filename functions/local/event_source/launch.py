"""Starts the runtime client so that it dies with its parent: `python launch.py HANDLER`, run by path.

A function that hangs would otherwise survive a simulator that was killed. The request to the kernel outlives exec, so
the process becomes `python -m awslambdaric HANDLER`, exactly. Elsewhere than on Linux it ends at its next question
to the runtime API, which is gone by then.
"""

import ctypes
import os
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def main(handler: str) -> None:
    """Does not return."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.execv(sys.executable, [sys.executable, "-m", "awslambdaric", handler])  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main(sys.argv[1])
