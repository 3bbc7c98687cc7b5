"""Faults on real parts: Apache Kafka, an AWS emulator, worker processes and Lambda environments.

examples:
    python -m tests.chaos                                        30,000 records, 9 faults: about a minute
    python -m tests.chaos --records 1000000 --faults 54 --session 6 --in-flight 16    each kind three times: 15 min
    python -m tests.chaos --only "kill worker" --only "stores late"        these kinds, in a random order

Records are produced while faults are injected. Then a new worker settles the rest, and everything is read back,
without the pipeline's code, and compared with the content of the log. Exit code 1: something was lost, doubled or
wrong, a worker exceeded its memory limit, or a fault of one record or store held up partitions that it does not
concern. 2: the run was not possible, for example without Java 17 or Maven.

The report is DIR/report.json, next to the logs. The same seed gives the same records and the same faults in the
same order; their effects depend on the machine.
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

from sandbox.broker.errors import BrokerUnavailable
from tests.chaos.faults import KINDS
from tests.chaos.monitor import Stuck
from tests.chaos.options import ChaosOptions
from tests.chaos.report import passed, show, write
from tests.chaos.run import run

INEXACT, IMPOSSIBLE, INTERRUPTED = 1, 2, 130
MIB: Final = 2**20


def main(arguments: Sequence[str]) -> int:
    """Run, and return the exit code."""
    options = _options(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for old in (*options.out.glob("*.log"), options.out / "report.json"):
        old.unlink(missing_ok=True)
    signal.signal(signal.SIGTERM, _interrupted)  # like ctrl-C: everything that was started is stopped
    _log_to(options.out / "mapping.log")
    gc.set_threshold(200_000, 50, 1000)  # millions of records stay in memory, none of them garbage
    console, began = Console(highlight=False), time.monotonic()

    def say(line: str) -> None:
        console.print(f"[{time.monotonic() - began:6.1f} s] {line}", markup=False, soft_wrap=True)

    try:
        report = run(options, say)
    except BrokerUnavailable as reason:
        console.print(f"{reason}: chaos needs Apache Kafka, hence Java 17 and Maven", markup=False)
        return IMPOSSIBLE
    except Stuck as error:
        console.print(f"stuck: {error}", markup=False)
        return INEXACT
    except KeyboardInterrupt:
        return INTERRUPTED
    show(console, report)
    console.print(str(write(report, options.out)), markup=False)
    return 0 if passed(report) else INEXACT


def _options(arguments: Sequence[str]) -> ChaosOptions:
    parser = argparse.ArgumentParser(
        "python -m tests.chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=30_000, help="number of records (%(default)s)")
    parser.add_argument("--faults", type=int, default=9, help="number of faults, one after the other (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of records and faults (%(default)s)")
    parser.add_argument("--out", type=Path, default=Path("build/chaos"), metavar="DIR", help="(%(default)s)")
    parser.add_argument(
        "--session", type=float, default=2.0, metavar="SECONDS",
        help="the group's session timeout, to which all durations are proportional (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--in-flight", type=int, default=4, metavar="MIB", help="TANDEM_BYTES_IN_FLIGHT of the workers (%(default)s)"
    )
    parser.add_argument(
        "--only", action="append", choices=KINDS, default=[], metavar="KIND", help="one of: " + ", ".join(KINDS)
    )
    given = parser.parse_args(arguments)
    if not 1 <= given.faults <= given.records:
        parser.error("expected at least one fault, and a record for each")
    return ChaosOptions(
        given.records, given.faults, given.seed, given.out, given.session, given.in_flight * MIB, tuple(given.only)
    )


def _log_to(file: Path) -> None:
    """Write the log of the event source mapping and its Kafka client to a file, not to the console."""
    logger = logging.getLogger("sandbox.event_source")
    logger.addHandler(logging.FileHandler(file))
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
