"""The part of a smoke run that reaches the stage, as a program: events on standard output, one JSON object a line.

With --handover it waits at the event "handover" for a line on standard input. See sandbox/smoke/command.py.
"""

import argparse
import json
import os
import secrets
import sys
from typing import Any

from functions.adapters.stage_parameters import worker_variables
from functions.core.errors import TandemError
from functions.settings import Settings, read
from sandbox.smoke.plan import SmokePlan
from sandbox.smoke.run import STUCK_SECONDS, Smoke
from sandbox.smoke.target import PIPELINE, Target


def main() -> int:
    """Return 0 if everything is exact and cleaned up, 1 otherwise."""
    options = _options()
    plan = SmokePlan(options.run or secrets.token_hex(4), options.records, options.seed)
    try:
        smoke = Smoke(
            Target(_settings(options.stage)), plan, _event, _handed_over if options.handover else None,
            keep=options.keep, stuck_seconds=options.stuck_seconds,
        )  # fmt: skip
        return 0 if smoke.run() else 1
    except TandemError as error:
        _event("error", {"message": str(error), "run": plan.run})
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="smoke", description=__doc__)
    parser.add_argument("--stage", help="a deployed stage; without it, the variables of its processes count")
    parser.add_argument("--records", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--run", help="the name of the run")
    parser.add_argument("--handover", action="store_true")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--stuck-seconds", type=float, default=STUCK_SECONDS)
    return parser.parse_args()


def _settings(stage: str | None) -> Settings:
    variables = worker_variables(stage) if stage else os.environ
    return read({**variables, "TANDEM_PIPELINE": PIPELINE})


def _event(name: str, values: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"event": name, **values}) + "\n")
    sys.stdout.flush()


def _handed_over() -> None:
    if not sys.stdin.readline():
        raise TandemError("the handover failed")


if __name__ == "__main__":
    sys.exit(main())
