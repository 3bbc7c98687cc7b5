"""Chaos on real parts: Apache Kafka, an AWS emulator, worker processes, Lambda environments, and everything that fails.

examples:
    python -m tests.chaos                                        30,000 records, 9 faults: about a minute
    python -m tests.chaos --records 1000000 --faults 54 --session 6 --in-flight 16    each kind three times: 15 min
    python -m tests.chaos --only "kill worker" --only "stores late"        these kinds, in a random order

Records keep coming while faults happen. When all is over a healthy worker settles the rest, and everything is read
back, without the pipeline's code, and compared with what lies in the log. Exit code 1: something was lost, doubled or
wrong, or a worker outgrew its memory. 2: the run could not be made, such as without Java 17 or Maven.

The report lies in DIR/report.json, beside the logs. The same seed gives the same records and the same faults in the
same order; what they hit depends on the machine.
"""

import argparse
import gc
import logging
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from rich.console import Console

from functions.local.broker.broker import Unavailable
from tests.chaos.faults import KINDS
from tests.chaos.options import Options
from tests.chaos.report import fine, show, write
from tests.chaos.run import run
from tests.chaos.watch import Stuck

INEXACT, IMPOSSIBLE, INTERRUPTED = 1, 2, 130
MIB: Final = 2**20


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    options = _options(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for old in (*options.out.glob("*.log"), options.out / "report.json"):
        old.unlink(missing_ok=True)
    signal.signal(signal.SIGTERM, _interrupted)  # as ctrl-C: everything that was started is stopped
    _log_to(options.out / "mapping.log")
    gc.set_threshold(200_000, 50, 1000)  # millions of records are kept, and none of them is garbage
    console, began = Console(highlight=False), time.monotonic()

    def say(line: str) -> None:
        console.print(f"[{time.monotonic() - began:6.1f} s] {line}", markup=False, soft_wrap=True)

    try:
        told = run(options, say)
    except Unavailable as reason:
        console.print(f"{reason}: chaos takes Apache Kafka, by Java 17 and Maven", markup=False)
        return IMPOSSIBLE
    except Stuck as error:
        console.print(f"stuck: {error}", markup=False)
        return INEXACT
    except KeyboardInterrupt:
        return INTERRUPTED
    show(console, told)
    console.print(str(write(told, options.out)), markup=False)
    return 0 if fine(told) else INEXACT


def _options(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(
        "python -m tests.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=30_000, help="how many in all (%(default)s)")
    parser.add_argument("--faults", type=int, default=9, help="how many, one after the other (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of records and faults (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("build/chaos"), metavar="DIR", help="(%(default)s)")
    parser.add_argument(
        "--session", type=float, default=2.0, metavar="SECONDS",
        help="the group's session timeout, which all durations follow (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--in-flight", type=int, default=4, metavar="MIB", help="TANDEM_BYTES_IN_FLIGHT of the workers (%(default)s)"
    )
    parser.add_argument(
        "--only", action="append", choices=KINDS, default=[], metavar="KIND", help="one of: " + ", ".join(KINDS)
    )
    given = parser.parse_args(arguments)
    if not 1 <= given.faults <= given.records:
        parser.error("takes at least one fault, and a record for each")
    return Options(
        given.records, given.faults, given.seed, given.out, given.session, given.in_flight * MIB, tuple(given.only)
    )


def _log_to(file: Path) -> None:
    """What the event source mapping and its Kafka client say: a dead broker is nothing new to the reader."""
    told = logging.getLogger("functions.local.event_source")
    told.addHandler(logging.FileHandler(file))
    told.setLevel(logging.INFO)
    told.propagate = False


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
