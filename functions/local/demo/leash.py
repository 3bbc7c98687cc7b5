"""`python -m functions.local.demo.leash`: a worker that lives no longer than the demo, however the demo ends.

It holds its standard input's end: when that closes, the worker kills itself, as SIGKILL from outside would.
"""

import os
import signal
from threading import Thread

from functions import settings
from functions.runtimes.worker.process import run


def _die_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    Thread(target=_die_with_parent, daemon=True).start()
    run(settings.read())
