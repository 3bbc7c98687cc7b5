"""The command line: what it takes, and that it says so."""

import json

import pytest
from typer.testing import CliRunner

from functions.cli import app
from functions.operate import verbs
from functions.operate.desk import Desk
from functions.pipelines.logins import PIPELINE
from tests.unit.operate.world import letter, settle, store

RUN = CliRunner()


@pytest.fixture
def at(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    settings = desk.settings
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if value is not None and name != "region":
            monkeypatch.setenv(f"TANDEM_{name.upper()}", str(value))
    monkeypatch.setattr("functions.operate.desk.Desk", lambda _: desk)
    assert verbs.desk() is desk
    return desk


def said(*arguments: str) -> str:
    result = RUN.invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["dead-letters", "show", "user-login"], "TOPIC/PARTITION/OFFSET"),
        (
            ["dead-letters", "redrive", "user-login/3/1", "--reason", "failed"],
            "--reason and --day choose among letters",
        ),
        (["dead-letters", "redrive", "--given-up", "--day", "2026-11-23"], "--reason and --day choose among letters"),
        (["dead-letters", "list", "--reason", "bad"], "'bad' is not one of"),
        (["rewind", "3"], "Missing option '--to'"),
        (["rewind", "3", "--to", "0", "--go"], "--go takes --from"),
    ],
)
def test_wrong_arguments_are_told(arguments: list[str], says: str) -> None:
    result = RUN.invoke(app, arguments, env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert result.exit_code == 2
    assert says in result.output


@pytest.mark.parametrize("verb", ["status", "dead-letters list", "dead-letters show", "dead-letters redrive", "rewind"])
def test_help_teaches_with_an_example(verb: str) -> None:
    assert "Example: tandem " in said(*verb.split(), "--help")


def test_status_for_people_and_for_programs(at: Desk) -> None:
    settle(at, 0, 5)
    assert said("status").splitlines()[-1].startswith("logins: the log ends before the ledger on partition 0")
    told = json.loads(said("status", "--json"))
    assert (told["pipeline"], told["topic"], told["brokers"]) == (PIPELINE.name, PIPELINE.topic, None)
    assert [one["next"] for one in told["partitions"]] == [5, None, None, None]


def test_letters_are_listed_shown_and_redriven(at: Desk) -> None:
    settle(at, 3, 10)
    store(at, letter(1))
    assert "1 dead letter, 0 redriven" in said("dead-letters", "list", "--day", "2026-11-23")
    assert json.loads(said("dead-letters", "list", "--json", "--limit", "0"))["newest"] == []
    assert "rejected: ip: takes an address" in said("dead-letters", "show", "user-login/3/1")
    assert "would send 1 record" in said("dead-letters", "redrive")
    assert "sent 1 record" in said("dead-letters", "redrive", "user-login/3/1", "--go")
    assert "1 dead letter, 1 redriven" in said("dead-letters", "list")
