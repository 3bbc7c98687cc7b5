"""Structured logs, alike on both runtimes: one JSON object a line on standard output, by Powertools' Logger."""

import logging
from typing import Final

from aws_lambda_powertools import Logger

from functions.settings import Settings

# At DEBUG these tell the bodies of requests and answers: secrets, and whole records on their way to the dead letters.
# Lambda turns DEBUG on for all of them when a function's own log level is set to it.
TALKATIVE: Final = ("boto3", "botocore", "s3transfer", "urllib3")


def logger(settings: Settings) -> Logger:
    """A logger that says on every line which stage and pipeline speak."""
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.INFO)
    service = f"tandem-{settings.pipeline}"
    log = Logger(service=service, level=settings.log_level, utc=True, location=None)
    logging.getLogger(service).setLevel(settings.log_level)  # Powertools prefers Lambda's level, which has to be low
    log.append_keys(stage=settings.stage, pipeline=settings.pipeline)
    return log
