"""`tandem up` and the commands that find what it runs, as processes: nothing is shared with this one but a folder."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.broker.apache import Apache
from tests.integration.waiting import PATIENCE, eventually

LOGIN = {
    "user_id": "ada", "app_version": "2.3.0", "device_type": "web", "ip": "192.0.2.7", "locale": "DE",
    "device_id": "device-1", "timestamp": 1_795_440_410,
}  # fmt: skip
NO_STAGE = {name: value for name, value in os.environ.items() if not name.startswith(("TANDEM_", "AWS_", "KUBECONFIG"))}


@dataclass(frozen=True)
class Checkout:
    """Commands that share the sandbox of one folder."""

    folder: Path

    def command(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "functions.cli.main", *arguments], env=self.environment, capture_output=True,
            text=True, input=given, check=False, timeout=4 * PATIENCE,
        )  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        return {**NO_STAGE, "TANDEM_SANDBOX": str(self.folder), "COLUMNS": "120"}

    def answer(self, *arguments: str, given: str = "") -> Any:
        done = self.command(*arguments, "--json", given=given)
        assert done.returncode in {0, 3}, done.stderr
        return json.loads(done.stdout)

    def settled(self) -> int:
        return sum(each["next"] or 0 for each in self.answer("status")["partitions"])

    def wait_for(self, settled: int) -> None:
        eventually(lambda: self.settled() == settled, lambda: self.command("status").stdout + self.logs())

    def logs(self) -> str:
        return "\n".join(
            log.read_text(errors="replace")[-2000:]
            for log in (self.folder / "up.log", *(self.folder / "logs").glob("*"))
        )

    def lake(self) -> list[dict[str, Any]]:
        lines = self.command("tail", "lake", "-n", "1000", "--json").stdout.splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def checkout(kafka: Apache | str, tmp_path: Path) -> Iterator[Checkout]:
    if isinstance(kafka, str):
        pytest.skip(f"needs Apache Kafka: {kafka}")
    here = Checkout(tmp_path / "sandbox")
    yield here
    here.command("down")


def up(checkout: Checkout, *options: str) -> None:
    done = checkout.command("up", "--detach", "--broker", "apache", *options)
    assert done.returncode == 0, done.stderr + checkout.logs()


def test_records_settle_on_either_runtime_and_survive_a_restart(checkout: Checkout) -> None:
    up(checkout)
    sent = checkout.answer("produce", "logins", "--generate", "40", "--invalid", "0.1")
    assert (sent["sent"], sent["refused"]) == (40, 0)
    checkout.wait_for(40)
    handed = checkout.command("handover", "logins", "--to", "msk", "--execute")
    assert handed.returncode == 0, handed.stdout + handed.stderr
    checkout.answer("produce", "logins", "-", "--envelope", given=json.dumps({"key": "ada", "value": LOGIN}) + "\n")
    checkout.wait_for(41)
    before, rows = checkout.answer("status"), checkout.lake()
    assert len(rows) + sum(before["letters"]["open"].values()) == 41
    assert checkout.command("down").stdout == "ended the sandbox\n"
    assert checkout.command("status").returncode == 2

    up(checkout)
    after = checkout.answer("status")
    assert [each["status"] for each in after["runtimes"]] == ["enabled", "disabled"]
    assert after["letters"] == before["letters"]
    assert sorted(map(str, checkout.lake())) == sorted(map(str, rows))
    checkout.answer("produce", "logins", "--generate", "9", "--seed", "2")
    checkout.wait_for(50)

    assert checkout.command("down", "--fresh").stdout == "ended the sandbox, deleted its data\n"
    up(checkout)
    assert checkout.settled() == 0


def test_after_a_kill_the_records_since_the_last_end_settle_again(checkout: Checkout) -> None:
    up(checkout, "--runtime", "msk")
    checkout.answer("produce", "logins", "--generate", "20")
    checkout.wait_for(20)
    running = json.loads((checkout.folder / "running.json").read_text())
    os.kill(running["pid"], signal.SIGKILL)
    eventually(lambda: checkout.command("env").returncode == 2, checkout.logs)
    up(checkout, "--runtime", "msk")
    checkout.wait_for(20)
    places = [(row["_partition"], row["_offset"]) for row in checkout.lake()]
    assert len(places) == len(set(places)) == 20


def test_one_sandbox_runs_at_a_time_and_env_leads_to_it(checkout: Checkout) -> None:
    up(checkout)
    second = checkout.command("up")
    assert (second.returncode, second.stderr) == (
        2, "error: a sandbox is running already: see tandem status, or end it by tandem down\n",
    )  # fmt: skip
    variables = checkout.answer("env")
    exported = checkout.command("env").stdout
    assert "export TANDEM_STAGE=sandbox\n" in exported
    done = subprocess.run(
        [sys.executable, "-m", "functions.cli.main", "status", "--json"], env=NO_STAGE | variables, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert json.loads(done.stdout)["pipeline"] == "logins"
    assert checkout.answer("status", "--stage", "sandbox")["pipeline"] == "logins"


def test_a_terminated_sandbox_leaves_no_process(checkout: Checkout) -> None:
    up(checkout)
    assert checkout.command("down").returncode == 0
    listening = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(checkout.folder) not in listening


def test_without_a_sandbox_each_command_says_how_to_start_one(checkout: Checkout) -> None:
    assert checkout.command("env").stderr == "error: no sandbox is running in this checkout: start one by tandem up\n"
    assert checkout.command("down").stdout == "no sandbox is running\n"
    assert checkout.command("status").returncode == 2


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for options in ((), ("--detach",)):
        done = Checkout(file / "sandbox").command("up", *options)
        assert done.returncode == 2
        assert done.stderr.count("\n") == 1
