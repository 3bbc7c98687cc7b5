"""Where the CPU time of a slice goes: a sampled profile of settling with every effect in memory, on one thread.

A sample counts for the innermost function of Tandem on the stack, so that what pydantic or json do counts for the
function that calls them.
"""

import json
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Final

import functions
import sandbox.bench
from functions.bootstrap import tune_collector
from functions.runtimes.msk.event import parse
from sandbox.bench.load import Load
from sandbox.bench.memory import memory_app
from sandbox.bench.programs.batches import events
from sandbox.bench.programs.meter import given

PACKAGE: Final = str(Path(functions.__path__[0]))
TWIN: Final = str(Path(sandbox.bench.__path__[0]) / "logins_msgspec.py")
PIPELINE: Final = "pipelines/logins.py"
SAMPLE_SECONDS: Final = 0.001
SLICE: Final = 10_000


def main() -> None:
    """Print CPU microseconds per record by module of Tandem."""
    asked = given()
    samples: Counter[str] = Counter()
    with memory_app("b-1.bench:9098", "bench", models=asked.get("models", "pydantic")) as app:
        tune_collector()
        slices = [slice_ for event in events(Load(asked["records"] + SLICE), SLICE) for slice_ in parse(event)[0]]
        warm = len(slices) * SLICE // (asked["records"] + SLICE)
        for slice_ in slices[:warm]:
            app.settler.settle(slice_)
        signal.signal(signal.SIGPROF, lambda _, frame: samples.update([_module(frame)]))
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_SECONDS, SAMPLE_SECONDS)
        began = time.process_time()
        for slice_ in slices[warm:]:
            app.settler.settle(slice_)
        cpu = time.process_time() - began
        signal.setitimer(signal.ITIMER_PROF, 0)
    records = sum(len(slice_) for slice_ in slices[warm:])
    each = cpu / records * 1e6 / max(1, samples.total())
    sys.stdout.write(json.dumps({name: count * each for name, count in samples.most_common()}) + "\n")


def _module(frame: FrameType | None) -> str:
    """Return the innermost module of Tandem on the stack; the pipeline's twin in msgspec counts as the pipeline."""
    while frame is not None:
        file = frame.f_code.co_filename
        if file == TWIN:
            return PIPELINE
        if file.startswith(PACKAGE):
            return file[len(PACKAGE) + 1 :]
        frame = frame.f_back
    return "other"


if __name__ == "__main__":
    main()
