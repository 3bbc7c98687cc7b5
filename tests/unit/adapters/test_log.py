"""Logs: one JSON object a line, alike on both runtimes."""

import json
from typing import Any
from uuid import uuid4

import pytest

from functions.adapters.log import logger
from functions.settings import Settings


def settings(**changes: Any) -> Settings:
    given = {
        "stage": "dev", "pipeline": f"p{uuid4().hex}", "lake_bucket": "lake", "dead_letter_bucket": "letters",
        "mask_key_from": "file:/key", "bootstrap_servers": "b-1:9098",
    }  # fmt: skip
    return Settings(**(given | changes))


def test_a_line_names_stage_and_pipeline_and_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = settings()
    logger(chosen).info("settled", extra={"records": 3})
    line = json.loads(capsys.readouterr().out)
    assert line.pop("timestamp").endswith("+0000")
    assert line == {
        "level": "INFO", "message": "settled", "service": f"tandem-{chosen.pipeline}", "stage": "dev",
        "pipeline": chosen.pipeline, "records": 3,
    }  # fmt: skip


@pytest.mark.parametrize("lambdas", ["", "INFO", "DEBUG"])
def test_the_level_is_the_settings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, lambdas: str
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_LEVEL", lambdas)
    log = logger(settings(log_level="WARNING"))
    log.info("not this")
    log.warning("this")
    assert [json.loads(line)["message"] for line in capsys.readouterr().out.splitlines()] == ["this"]


def test_an_exception_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    error = ZeroDivisionError("boom")
    logger(settings()).error("not settled", exc_info=error)
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["exception_name"] == "ZeroDivisionError"
