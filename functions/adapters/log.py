"""Structured logs, alike on both runtimes: one JSON object a line on standard output, by Powertools' Logger."""

from aws_lambda_powertools import Logger

from functions.settings import Settings


def logger(settings: Settings) -> Logger:
    """A logger that says on every line which stage and pipeline speak."""
    log = Logger(service=f"tandem-{settings.pipeline}", level=settings.log_level, utc=True, location=None)
    log.append_keys(stage=settings.stage, pipeline=settings.pipeline)
    return log
