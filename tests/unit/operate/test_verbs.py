"""The operators' command line: its options, and that it reports wrong ones."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from functions import registry
from functions.adapters.memory_kafka import MemoryRecord
from functions.cli.main import app
from functions.cli.stage_options import connect
from functions.core.dead_letter import DeadLetter
from functions.core.errors import Corrupt, InvalidSetting, Misconfigured
from functions.core.handover_ports import Runtime
from functions.core.ports import StopReason
from functions.operate import context
from functions.pipelines.logins import PIPELINE
from functions.settings import Settings
from tests.unit.operate.world import World, letter

RUNNER = CliRunner()
VARIABLES = {
    "TANDEM_STAGE": "test", "TANDEM_PIPELINE": PIPELINE.name, "TANDEM_LAKE_BUCKET": "lake",
    "TANDEM_DEAD_LETTER_BUCKET": "dead-letters", "TANDEM_MASK_KEY_FROM": "file:/key",
    "TANDEM_BOOTSTRAP_SERVERS": "127.0.0.1:1", "TANDEM_KAFKA_AUTH": "plaintext", "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
}  # fmt: skip


@pytest.fixture
def stage(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The verbs get this stage, if the process's variables name it."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)

    def connect(settings: Settings) -> context.OperatorContext:
        assert (settings.stage, settings.pipeline) == ("test", PIPELINE.name)
        return world.context

    monkeypatch.setattr(context, "connect", connect)
    return world


def output(*arguments: str, exit_code: int = 0) -> str:
    result = RUNNER.invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    return result.output


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["dead-letters", "show", "user-login"], "TOPIC/PARTITION/OFFSET"),
        (
            ["dead-letters", "redrive", "user-login/3/1", "--reason", "failed"],
            "--reason, --day and the like select letters",
        ),
        (
            ["dead-letters", "redrive", "--given-up", "--day", "2026-11-23"],
            "--reason, --day and the like select letters",
        ),
        (["dead-letters", "list", "--reason", "bad"], "'bad' is not one of"),
        (
            ["dead-letters", "list", "--since", "yesterday"],
            "Invalid value for --since: expected a time like 2026-11-23,",
        ),
        (
            ["dead-letters", "list", "--until", "999999999d"],
            "Invalid value for --until: expected a time like 2026-11-23",
        ),
        (["dead-letters", "redrive", "--since", "2026-13-01"], "got '2026-13-01'"),
        (["dead-letters", "redrive", "--per-second", "0"], "should be greater than or equal to 1"),
        (["dead-letters", "discard"], "expected either places, or options that select letters, or --all"),
        (["dead-letters", "discard", "--all", "--partition", "3"], "expected either places, or options that select"),
        (["rewind", "3"], "Missing option '--to'"),
        (["rewind", "3", "--to", "0", "--execute"], "--execute requires --from"),
    ],
)
def test_wrong_arguments_are_reported(arguments: list[str], error: str) -> None:
    result = RUNNER.invoke(app, arguments, env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert result.exit_code == 2
    assert error in result.output


def test_status_for_people_and_for_programs(stage: World) -> None:
    stage.settle(0, 5)
    assert output("status", exit_code=3).splitlines()[-1].startswith("logins: the log ends before the ledger on par")
    status = json.loads(output("status", "--json", exit_code=3))
    assert json.loads(output("status", "--json", "--all", exit_code=3)) == [status]
    assert (status["pipeline"], status["topic"], status["brokers"]) == (PIPELINE.name, PIPELINE.topic, None)
    assert status["group"] == "test-logins"
    assert [partition["next"] for partition in status["partitions"]] == [5, None, None, None]


def test_status_is_shown_again_until_it_is_interrupted(stage: World, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        stage.settle(0, 1 + len(waited))
        if len(waited) == 3:
            raise KeyboardInterrupt

    stage.settle(0, 1)
    monkeypatch.setattr("functions.cli.operator_verbs.time.sleep", wait)
    result = RUNNER.invoke(app, ["status", "--watch", "2", "--json"])
    assert [json.loads(line)["partitions"][0]["next"] for line in result.stdout.splitlines()] == [1, 2, 3]
    assert waited == [2, 2, 2]
    assert result.exit_code in {1, 130}  # 130 from `main`


def test_the_exit_code_of_status_tells_scripts_what_to_do(stage: World) -> None:
    stage.settle(0, 0)
    output("status", exit_code=0)
    stage.kafka.reachable = False
    assert "the ledger alone" in output("status", exit_code=1)
    stage.stop(0, StopReason.FLOOD)
    output("status", exit_code=3)


def test_a_stage_is_read_from_its_parameters(stage: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def worker_variables(name: str) -> dict[str, str]:
        asked.append(name)
        return {name: value for name, value in VARIABLES.items() if name != "TANDEM_PIPELINE"}

    monkeypatch.setattr("functions.adapters.stage_parameters.worker_variables", worker_variables)
    monkeypatch.setenv("TANDEM_STAGE", "another")
    monkeypatch.delenv("TANDEM_PIPELINE")
    stage.settle(0, 0)
    output("status", "--stage", "test")
    output("status", "--stage", "test", "--pipeline", "logins")
    output("dead-letters", "list", "--stage", "test")
    assert asked == ["test"] * 3


def test_of_several_pipelines_one_must_be_named(stage: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TANDEM_PIPELINE")
    stage.settle(0, 0)
    output("status")
    monkeypatch.setattr("functions.registry.names", lambda: ["clicks", "logins"])
    with pytest.raises(InvalidSetting, match="--pipeline: missing, expected one of clicks, logins"):
        output("status")
    output("status", "--pipeline", "logins")


def test_letters_are_listed_shown_and_redriven(stage: World) -> None:
    stage.settle(3, 10)
    stage.letters.store([letter(1)])
    assert "1 open dead letter" in output("dead-letters", "list", "--day", "2026-11-23")
    assert json.loads(output("dead-letters", "list", "--json", "--limit", "0"))["newest"] == []
    assert "rejected: ip: expected an address" in output("dead-letters", "show", "user-login/3/1")
    assert "would send 1 record" in output("dead-letters", "redrive")
    assert "sent 1 record" in output("dead-letters", "redrive", "user-login/3/1", "--execute")
    assert output("dead-letters", "list") == "0 open dead letters; 1 redriven and 0 discarded are closed\n"
    assert "user-login/3/1" in output("dead-letters", "list", "--closed")


def test_letters_are_summarized_and_exported(stage: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.letters.store([letter(1), letter(2, key=b"other")])
    assert output("dead-letters", "summary", "--key", "other").endswith("1 open dead letter in 1 group\n")
    assert json.loads(output("dead-letters", "summary", "--json", "--limit", "1"))["letters"] == 2
    lines = output("dead-letters", "export", "user-login/3/1").splitlines()
    assert [json.loads(lines[0])["offset"], lines[1]] == [1, "exported 1 letter"]
    file = tmp_path / "letters.jsonl"
    assert output("dead-letters", "export", "--to", str(file), "--closed") == "exported 2 letters\n"
    assert len(file.read_text().splitlines()) == 2
    monkeypatch.setattr(stage.letters.__class__, "read", unreadable)
    output("dead-letters", "export", "--to", str(file), exit_code=1)
    assert file.read_text() == ""


def unreadable(*_: object) -> DeadLetter:
    raise Corrupt("damaged")


def test_an_interrupt_is_one_line(stage: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stage.claims.__class__, "all", interrupted)
    for verb in (["list"], ["summary"], ["export"], ["redrive"], ["discard", "--all"]):
        assert output("dead-letters", *verb, exit_code=130).splitlines()[-1] in {
            "interrupted", "interrupted: exported 0 letters, not all of them"
        }  # fmt: skip


def test_letters_are_selected_and_discarded(stage: World) -> None:
    stage.settle(3, 10)
    stage.letters.store([letter(1), letter(2, key=b"other")])
    selected = ["--since", "2026-11-23", "--until", "2026-11-23T12:00:01Z", "--partition", "3", "--key", "other"]
    assert "would discard the letters of 1 record" in output("dead-letters", "discard", *selected)
    assert "discarded the letters of 1 record" in output("dead-letters", "discard", *selected, "--execute")
    assert "would send 1 record" in output("dead-letters", "redrive", "--text", "address", "--per-second", "5")
    assert "discarded the letters of 1 record" in output("dead-letters", "discard", "--all", "--execute")
    assert output("dead-letters", "list") == "0 open dead letters; 0 redriven and 2 discarded are closed\n"


def test_acls_for_people_and_for_programs(stage: World) -> None:
    stage.access.connected = "tandem_test_admin"
    assert output("acls", "--all", exit_code=3).startswith("would add 10 ACLs")
    planned = json.loads(output("acls", "--json", exit_code=3))
    assert len(planned["add"]) == 10
    assert {"kind": "group", "name": "test-logins"} in planned["closes"]
    assert planned["unused"] == []
    output("acls", "--execute")
    output("acls")


def test_operators_connect_with_a_user_of_their_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for user in ("admin", "logins"):
        (tmp_path / user).write_text(json.dumps({"username": user, "password": "x"}))
    scram = {"TANDEM_KAFKA_AUTH": "scram", "TANDEM_SCRAM_FROM": f"file:{tmp_path}/{{pipeline}}"}
    for name, value in (VARIABLES | scram).items():
        monkeypatch.setenv(name, value)
    assert connect().access.user() == "logins"
    monkeypatch.setenv("TANDEM_ADMIN_SCRAM_FROM", f"file:{tmp_path}/admin")
    assert connect().access.user() == "admin"


def test_a_context_of_real_stores_makes_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    connected = connect()
    assert (connected.pipeline, connected.group) == (PIPELINE, "test-logins")
    connected.pool.shutdown()


def test_without_a_stage_the_option_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TANDEM_STAGE", raising=False)
    with pytest.raises(InvalidSetting, match=r"--stage: missing.*: expected a deployed stage"):
        connect()


def printed(*arguments: str) -> dict[str, object]:
    """The JSON on standard output; text for people goes to standard error then."""
    result = RUNNER.invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert result.stderr
    found: dict[str, object] = json.loads(result.stdout)
    return found


def test_what_a_verb_would_do_and_did_is_printed_as_json(stage: World) -> None:
    stage.settle(3, 5000)
    stage.stop(3, StopReason.FLOOD)
    stopped = {
        "topic": "user-login", "partition": 3, "reason": "flood", "since": "2026-11-23T11:00:00.000Z",
        "detail": "why flood", "first": 5000, "last": 5999, "next": 5000, "step": 0,
    }  # fmt: skip
    assert printed("resume", "3") == {**stopped, "executed": False}
    assert printed("resume", "3", "--execute") == {**stopped, "executed": True}
    assert printed("handover", "logins", "--to", "worker") == {
        "pipeline": "logins", "to": "worker", "needed": True, "executed": False,
        "before": {
            runtime.value: {"status": state.status.value, "detail": state.detail}
            for runtime, state in ((each, stage.context.switches[each].state()) for each in Runtime)
        },
    }  # fmt: skip


def test_a_rewind_is_printed_as_json(stage: World) -> None:
    stage.settle(3, 5000)
    stage.kafka.logs[PIPELINE.topic][3].records = [MemoryRecord(0, None, b"{}", ())] * 10
    assert printed("rewind", "3", "--to", "10") == {
        "topic": "user-login", "partition": 3, "from": 5000, "to": 10, "log_begin": 0, "log_end": 10,
        "first_newer": None, "committed": None, "group_has_members": False, "stop": None, "executed": False,
    }  # fmt: skip


def test_a_console_without_a_pipeline_says_how_to_write_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "names", list)
    with pytest.raises(Misconfigured, match="no pipeline is declared: tandem new NAME"):
        RUNNER.invoke(app, ["console"], catch_exceptions=False)
