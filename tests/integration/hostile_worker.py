"""The `worker` runtime with variants of `logins`: it starts at the end of the log, and certain users are lethal."""

import os
import time
from dataclasses import replace
from typing import Final

from functions.cli.main import main
from functions.core.flood import FloodLimit
from functions.core.pipeline import AnyPipeline, Limits, Start
from functions.pipelines import logins

CRASHES, HANGS = "user-crashes", "user-hangs"
EXIT_CODE: Final = 86
START: Final = "HOSTILE_START"


def process(login: logins.Login) -> logins.ProcessedLogin:
    """Process a login, or end the process, or never return."""
    if login.user_id == CRASHES:
        os._exit(EXIT_CODE)
    while login.user_id == HANGS:
        time.sleep(0.01)
    return logins.process(login)


def pipeline() -> AnyPipeline:
    """Return the variant that the environment names."""
    start = Start(os.environ.get(START, Start.EARLIEST.value))
    limits = Limits(flood=FloodLimit(1.0))
    declared: AnyPipeline = logins.PIPELINE
    return replace(declared, process=process, start=start, limits=limits)


if __name__ == "__main__":
    logins.PIPELINE = pipeline()
    main()
