"""`tandem demo` as a user runs it, small: on either broker, and with a file of the worst records."""

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
from sandbox.broker.broker import Broker
from tests.integration.waiting import PATIENCE, eventually

LOGIN: dict[str, Any] = {
    "user_id": "user-1", "app_version": "2.3.0", "device_type": "ios", "ip": "10.0.0.1", "locale": "DE",
    "device_id": "1", "timestamp": 1_694_479_551,
}  # fmt: skip
RECORDS = 3_000


def login(**fields: object) -> bytes:
    return json.dumps(LOGIN | fields).encode()


GOOD = [
    login(), login(), login(timestamp="1694479551"), login(user_id="\u0000"), login(device_id="\u202e🙂"),
    login() + b"\r", login(pad="x" * 1_000_000),
    login()[:-1] + b',"timestamp":1694479552,"user_id":"the last one wins"}',
]  # fmt: skip
BAD = [
    b"", b" ", b"\r", b"\xff\xfe\x00", b'{"user_id":"\xc3\x28"}', b"\xef\xbb\xbf" + login(), login() * 2, b"NaN",
    b"null", b"{}", b"[" * 100_000, b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    login(user_id="\ud800"), login(device_id="d" * 129), login(device_type=5), login(locale="ßß"),
    login(app_version="\u0661.\u0662"), login(ip="fe80::1%eth0"), login(timestamp=float("nan")),
    login(timestamp=10**400), b'{"timestamp":1' + b"0" * 6_000 + b"}", login(timestamp=True),
    b"x" * 2**20, b"y" * 3_500_000,
]  # fmt: skip


@dataclass
class Demo:
    """A running demo."""

    process: subprocess.Popen[str]
    out: Path

    def ended(self) -> tuple[int, dict[str, Any]]:
        """Wait for the end; return exit code and report."""
        stdout, stderr = self.process.communicate(timeout=PATIENCE)
        assert stdout, stderr
        report: dict[str, Any] = json.loads(stdout)
        assert report == json.loads((self.out / "report.json").read_text())
        return self.process.returncode, report


def start(out: Path, *arguments: str) -> Demo:
    command = [sys.executable, "-m", "functions.cli.main", "demo", "--json", "--out", str(out), *arguments]
    return Demo(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True), out)


@pytest.fixture(scope="module")
def demos(kafka: Apache | str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Demo]]:
    """Run all in parallel: they mostly wait, for slices to fill and sessions to end."""
    folder = tmp_path_factory.mktemp("demo")
    worst = folder / "worst.jsonl"
    worst.write_bytes(b"".join(line + b"\n" for line in GOOD + BAD))
    records = ("--records", str(RECORDS))
    started = {
        "embedded": start(folder / "embedded", *records, "--broker", "embedded"),
        "input": start(folder / "input", "--input", str(worst)),
    }
    if isinstance(kafka, Apache):
        started["apache"] = start(folder / "apache", *records, "--broker", "apache", "--seed", "2")
    yield started
    for demo in started.values():
        demo.process.kill()
        demo.process.communicate()


@pytest.mark.parametrize("broker", ["embedded", "apache"])
def test_nothing_lost_nothing_doubled(demos: dict[str, Demo], broker: str) -> None:
    if broker not in demos:
        pytest.skip("needs Apache Kafka")
    code, report = demos[broker].ended()
    assert code == 0, report["problems"]
    assert report["exact"]
    assert report["broker"]["kind"] == broker
    assert report["records_in"] == report["rows_in_lake"] + report["dead_letters"] + report["dropped"] == RECORDS
    assert (report["missing"], report["duplicates"], report["wrong"]) == (0, 0, 0)
    assert (report["kills"], report["handovers"]) == (1, 1)
    assert sum(runtime["records"] for runtime in report["runtimes"].values()) == RECORDS
    assert all(runtime["records"] > 0 for runtime in report["runtimes"].values())
    assert report["dead_letters_by_reason"].keys() == {"undecodable", "invalid", "rejected"}
    assert "Nothing lost, nothing doubled" in (demos[broker].out / "report.html").read_text()


def test_every_line_of_a_file_is_accounted_for(demos: dict[str, Demo]) -> None:
    code, report = demos["input"].ended()
    assert code == 0, report["problems"]
    assert (report["rows_in_lake"], report["dead_letters"], report["dropped"]) == (len(GOOD), len(BAD), 0)
    assert (report["missing"], report["duplicates"], report["wrong"]) == (0, 0, 0)


def test_a_broker_that_others_use_is_left_alone(broker: Broker, tmp_path: Path) -> None:
    _, stderr = (demo := start(tmp_path, "--broker", broker.bootstrap)).process.communicate(timeout=PATIENCE)
    assert demo.process.returncode == 2
    assert "has a topic processed-user-login already, expected a broker without it" in stderr
    assert stderr.count("error: ") == 1


def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = start(tmp_path, "--records", "2000", "--broker", "embedded")
    eventually((tmp_path / "worker.log").exists)
    children = descendants(demo.process.pid)
    assert len(children) >= 2, "the emulator and the worker"
    demo.process.send_signal(signal.SIGINT)
    demo.process.communicate(timeout=PATIENCE)
    assert demo.process.returncode not in {0, -signal.SIGINT}
    eventually(lambda: not any(map(alive, children)))


def descendants(parent: int) -> list[int]:
    """Return the children of a process, of any depth."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    found = [parent]
    for pid_ in found:
        found += [pid for pid, above in pairs if above == pid_]
    return found[1:]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
