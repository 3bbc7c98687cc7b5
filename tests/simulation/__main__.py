"""The simulation from the command line: many schedules, or one to look at.

examples:
    python -m tests.simulation                         20,000 schedules on every core
    python -m tests.simulation --seed 123              one schedule, told call by call: who, what, and what came of it
    python -m tests.simulation --mutation own-day      with a flaw put in on purpose: must fail
    python -m tests.simulation --count 1000000 --first 20000      a long run over seeds that CI never saw

A schedule follows from its seed alone. Exit code 1: a promise was broken, and the seeds are named.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.simulation.mutations import MUTATIONS, NONE
from tests.simulation.schedule import run

SCHEDULES = 20_000
CHUNK = 500
TOLD = 5  # failing seeds in a report: more say no more


class Chunk(NamedTuple):
    """Seeds [first, last) under a mutation."""

    first: int
    last: int
    mutation: str


class Found(NamedTuple):
    """How many schedules ran, what happened in them, and what failed: seeds and why."""

    schedules: int
    tally: Counter[str]
    failures: list[tuple[int, str]]


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    options = _parser().parse_args(arguments)
    if options.seed is not None:
        return _one(options.seed, options.mutation)
    return _many(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tests.simulation", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, help="play this one schedule and tell every call")
    parser.add_argument("--count", type=int, default=SCHEDULES, help="how many schedules (%(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (%(default)s)")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="how many processes (%(default)s)")
    flaws = "\n".join(f"{mutation.name}: {mutation.says};" for mutation in MUTATIONS.values())
    parser.add_argument("--mutation", choices=MUTATIONS, default=NONE.name, metavar="FLAW", help=flaws)
    return parser


def _one(seed: int, mutation: str) -> int:
    try:
        run(seed, MUTATIONS.get(mutation, NONE), print)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what this schedule has to tell
        print(f"\nseed {seed}: {type(error).__name__}: {error}")
        return 1
    print(f"\nseed {seed}: every promise holds")
    return 0


def _many(options: argparse.Namespace) -> int:
    began, end = time.monotonic(), options.first + options.count
    chunks = [
        Chunk(first, min(first + CHUNK, end), options.mutation) for first in range(options.first, end, CHUNK)
    ]
    found = Found(0, Counter(), [])
    for each in _results(chunks, options.processes):
        found.tally.update(each.tally)
        found = Found(found.schedules + each.schedules, found.tally, found.failures + each.failures)
        if len(found.failures) >= TOLD:
            break
    _tell(found, time.monotonic() - began, options.mutation)
    return 1 if found.failures else 0


def _results(chunks: Sequence[Chunk], processes: int) -> Iterator[Found]:
    if processes == 1:
        yield from map(_chunk, chunks)
        return
    # Spawned, not forked: the same on every system, and no state of the parent is inherited.
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(_chunk, chunks)


def _chunk(chunk: Chunk) -> Found:
    """Stops at the first failures: a broken protocol fails often."""
    tally, failures, mutation = Counter[str](), list[tuple[int, str]](), MUTATIONS.get(chunk.mutation, NONE)
    for seed in range(chunk.first, chunk.last):
        try:
            tally.update(run(seed, mutation))
        except Exception as error:  # noqa: BLE001 - every failure of a schedule is one of the protocol
            failures.append((seed, f"{type(error).__name__}: {error}"))
            if len(failures) == TOLD:
                return Found(seed + 1 - chunk.first, tally, failures)
    return Found(chunk.last - chunk.first, tally, failures)


def _tell(found: Found, seconds: float, mutation: str) -> None:
    print(f"{found.schedules:,} schedules in {seconds:.1f} s: {len(found.failures) or 'no'} failures")
    for what, count in found.tally.items():
        print(f"{count:12,} {what}")
    flaw = "" if mutation == NONE.name else f" --mutation {mutation}"
    for seed, why in found.failures[:TOLD]:
        print(f"\nseed {seed}: {why[:500]}\n  replay: {sys.executable} -m tests.simulation --seed {seed}{flaw}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
