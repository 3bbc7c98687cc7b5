"""Run many schedules, or replay one.

examples:
    make simulate                                       20,000 schedules on every core
    make simulate ARGS="--seed 123"                     replay one schedule: each call with its writer and result
    make simulate ARGS="--mutation own-day"             with a planted flaw: must fail
    make simulate ARGS="--count 1000000 --first 20000"  a long run over seeds that CI does not use

Without make: python -m tests.simulation --seed 123. The seed alone determines a schedule.
Exit code 1: a guarantee was broken; the seeds are listed.
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
MAX_FAILURES: Final = 5  # more failing seeds add no information


class Chunk(NamedTuple):
    """Seeds [first, last) with a mutation."""

    first: int
    last: int
    mutation: str


class Results(NamedTuple):
    """The number of schedules, how often each event happened in them, and the failed seeds with their errors."""

    schedules: int
    tally: Counter[str]
    failures: list[tuple[int, str]]


def main(arguments: Sequence[str]) -> int:
    """Run the campaign and return its exit code."""
    options = _parser().parse_args(arguments)
    if options.seed is not None:
        return _replay(options.seed, options.mutation)
    began = time.monotonic()
    results = _run_all(options)
    _report(results, time.monotonic() - began, options.mutation)
    return 1 if results.failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tests.simulation",
        description=__doc__,
        epilog="flaws:\n"
        + "\n".join(f"    {mutation.name:26} {mutation.description}" for mutation in MUTATIONS.values()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, help="replay this one schedule and print every call")
    parser.add_argument("--count", type=int, default=SCHEDULES, help="how many schedules (%(default)s)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (%(default)s)")
    parser.add_argument("--processes", type=int, default=os.cpu_count(), help="how many processes (%(default)s)")
    parser.add_argument(
        "--mutation", choices=MUTATIONS, default=NONE.name, metavar="FLAW", help="one of the flaws below"
    )
    return parser


def _replay(seed: int, mutation: str) -> int:
    try:
        run(seed, MUTATIONS.get(mutation, NONE), _print)
    except Exception as error:  # noqa: BLE001 - any error is the result of this schedule
        _print(f"\nseed {seed}: {type(error).__name__}: {error}")
        return 1
    _print(f"\nseed {seed}: every guarantee holds")
    return 0


def _run_all(options: argparse.Namespace) -> Results:
    end = options.first + options.count
    chunks = [Chunk(first, min(first + CHUNK, end), options.mutation) for first in range(options.first, end, CHUNK)]
    schedules, tally, failures = 0, Counter[str](), list[tuple[int, str]]()
    for results in _chunk_results(chunks, min(options.processes, len(chunks))):
        schedules += results.schedules
        tally.update(results.tally)
        failures += results.failures
        if len(failures) >= MAX_FAILURES:
            break
    return Results(schedules, tally, failures[:MAX_FAILURES])


def _chunk_results(chunks: Sequence[Chunk], processes: int) -> Iterator[Results]:
    """Yield results in the order of the seeds, so that the number of processes does not change the output."""
    if processes == 1:
        yield from map(_chunk, chunks)
        return
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        yield from pool.imap(_chunk, chunks)


def _chunk(chunk: Chunk) -> Results:
    tally, failures, mutation = Counter[str](), list[tuple[int, str]](), MUTATIONS.get(chunk.mutation, NONE)
    for seed in range(chunk.first, chunk.last):
        try:
            tally.update(run(seed, mutation))
        except Exception as error:  # noqa: BLE001 - every error in a schedule is a failure of the protocol
            failures.append((seed, f"{type(error).__name__}: {error}"))
            if len(failures) == MAX_FAILURES:
                return Results(seed + 1 - chunk.first, tally, failures)
    return Results(chunk.last - chunk.first, tally, failures)


def _report(results: Results, seconds: float, mutation: str) -> None:
    _print(f"{results.schedules:,} schedules in {seconds:.1f} s, {len(results.failures) or 'none'} failed")
    for event, count in sorted(results.tally.items()):
        if count:
            _print(f"{count:12,} {event}")
    flaw = "" if mutation == NONE.name else f" --mutation {mutation}"
    for seed, error in results.failures:
        _print(f"\nseed {seed}: {error[:600]}\n    replay: make simulate ARGS='--seed {seed}{flaw}'")


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
