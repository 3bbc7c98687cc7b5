"""Many schedules, or one to look at.

examples:
    make simulate                                       20,000 schedules on every core
    make simulate ARGS="--seed 123"                     one schedule, call by call: who, what, and what came of it
    make simulate ARGS="--mutation own-day"             with a flaw put in on purpose: must fail
    make simulate ARGS="--count 1000000 --first 20000"  a long run over seeds that CI never sees

Without make: python -m tests.simulation --seed 123. A schedule follows from its seed alone.
Exit code 1: a promise was broken, and the seeds are named.
"""

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from tests.simulation.mutations import MUTATIONS, NONE
from tests.simulation.schedule import run

SCHEDULES: Final = 20_000
CHUNK: Final = 500
ENOUGH: Final = 5  # failing seeds: more say no more


class Chunk(NamedTuple):
    """Seeds [first, last) with a mutation."""

    first: int
    last: int
    mutation: str


class Found(NamedTuple):
    """How many schedules ran, what happened in them, and which seeds failed, and why."""

    schedules: int
    tally: Counter[str]
    failures: list[tuple[int, str]]


def main(arguments: Sequence[str]) -> int:
    """The exit code."""
    options = _parser().parse_args(arguments)
    if options.seed is not None:
        return _one(options.seed, options.mutation)
    began = time.monotonic()
    found = _many(options)
    _report(found, time.monotonic() - began, options.mutation)
    return 1 if found.failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tests.simulation",
        description=__doc__,
        epilog="flaws:\n" + "\n".join(f"    {each.name:26} {each.says}" for each in MUTATIONS.values()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, help="play this one schedule and tell every call")
    parser.add_argument("--count", type=int, default=SCHEDULES, help="how many schedules (%(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (%(default)s)")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="how many processes (%(default)s)")
    parser.add_argument("--mutation", choices=MUTATIONS, default=NONE.name, metavar="FLAW", help="one of those below")
    return parser


def _one(seed: int, mutation: str) -> int:
    try:
        run(seed, MUTATIONS.get(mutation, NONE), _say)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what this schedule has to tell
        _say(f"\nseed {seed}: {type(error).__name__}: {error}")
        return 1
    _say(f"\nseed {seed}: every promise holds")
    return 0


def _many(options: argparse.Namespace) -> Found:
    end = options.first + options.count
    chunks = [Chunk(first, min(first + CHUNK, end), options.mutation) for first in range(options.first, end, CHUNK)]
    schedules, tally, failures = 0, Counter[str](), list[tuple[int, str]]()
    for found in _results(chunks, min(options.processes, len(chunks))):
        schedules += found.schedules
        tally.update(found.tally)
        failures += found.failures
        if len(failures) >= ENOUGH:
            break
    return Found(schedules, tally, failures[:ENOUGH])


def _results(chunks: Sequence[Chunk], processes: int) -> Iterator[Found]:
    """In the order of the seeds, so that a run tells the same however many processes share it."""
    if processes == 1:
        yield from map(_chunk, chunks)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(_chunk, chunks)


def _chunk(chunk: Chunk) -> Found:
    tally, failures, mutation = Counter[str](), list[tuple[int, str]](), MUTATIONS.get(chunk.mutation, NONE)
    for seed in range(chunk.first, chunk.last):
        try:
            tally.update(run(seed, mutation))
        except Exception as error:  # noqa: BLE001 - every failure of a schedule is one of the protocol
            failures.append((seed, f"{type(error).__name__}: {error}"))
            if len(failures) == ENOUGH:
                return Found(seed + 1 - chunk.first, tally, failures)
    return Found(chunk.last - chunk.first, tally, failures)


def _report(found: Found, seconds: float, mutation: str) -> None:
    _say(f"{found.schedules:,} schedules in {seconds:.1f} s, {len(found.failures) or 'none'} failed")
    for what, count in sorted(found.tally.items()):
        if count:
            _say(f"{count:12,} {what}")
    flaw = "" if mutation == NONE.name else f" --mutation {mutation}"
    for seed, why in found.failures:
        _say(f"\nseed {seed}: {why[:600]}\n    replay it: make simulate ARGS='--seed {seed}{flaw}'")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
