"""The `msk` runtime with the pipeline of chaos runs: `handler` is the function's entry point."""

from functions.runtimes.msk.handler import handler
from tests.chaos import pipeline

__all__ = ["handler"]

pipeline.install()
