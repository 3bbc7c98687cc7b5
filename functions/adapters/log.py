"""Structured logs, equal on both runtimes: one JSON object per line on standard output, by Powertools' Logger."""

import logging
from typing import Final

from aws_lambda_powertools import Logger

from functions.settings import Settings

# At DEBUG these log the bodies of requests and responses: secrets, and whole records that become dead letters.
# Lambda sets all of them to DEBUG if the function's log level is DEBUG.
NOISY_LOGGERS: Final = ("boto3", "botocore", "s3transfer", "urllib3")


def logger(settings: Settings) -> Logger:
    """Return a logger that writes the stage and the pipeline on every line."""
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)
    service = f"tandem-{settings.pipeline}"
    log = Logger(service=service, level=settings.log_level, utc=True, location=None)
    logging.getLogger(service).setLevel(settings.log_level)  # Powertools prefers Lambda's level, which has to be low
    log.append_keys(stage=settings.stage, pipeline=settings.pipeline)
    return log
