import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.process import Process

PARENT = """
import sys, time
from pathlib import Path
from sandbox.process import Process
process = Process(["sleep", "600"], Path(sys.argv[1]))
print(process.pid, flush=True)
time.sleep(600)
"""


def eventually(true: Callable[[], bool]) -> None:
    """The limit is the test's own."""
    while not true():
        time.sleep(0.01)


def group(pid: int) -> list[str]:
    """The processes of a group, without those that ended and were not waited for."""
    listed = subprocess.run(["ps", "-eo", "pgid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
    return [args for pgid, state, args in rows if int(pgid) == pid and not state.startswith("Z")]


def test_the_process_is_the_command_itself(tmp_path: Path) -> None:
    code = "import os, sys; print(os.getpid(), os.environ.get('A'), os.getcwd(), sys.stdin.read()); sys.exit(3)"
    environment = {"A": "b", "PATH": os.environ["PATH"]}
    process = Process([sys.executable, "-c", code], tmp_path / "log", environment, folder=tmp_path)
    assert process.wait() == 3
    assert process.tail().split() == [str(process.pid), "b", str(tmp_path)]
    eventually(lambda: group(process.pid) == [])


def test_signals_reach_the_command(tmp_path: Path) -> None:
    process = Process(["sleep", "600"], tmp_path / "log")
    assert process.running
    process.terminate()
    assert process.wait() == -signal.SIGTERM
    assert not process.kill()


def test_a_kill_takes_the_children_along(tmp_path: Path) -> None:
    with Process(["sh", "-c", "sleep 600 & wait"], tmp_path / "log") as process:
        eventually(lambda: "sleep 600" in group(process.pid))
        process.send(signal.SIGSTOP)
    assert process.exit_code == -signal.SIGKILL
    eventually(lambda: group(process.pid) == [])


def test_a_wait_in_vain_ends_in_a_kill(tmp_path: Path) -> None:
    assert Process(["sleep", "600"], tmp_path / "log").wait(0.1) == -signal.SIGKILL


def test_it_dies_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert group(pid)
        parent.kill()
    eventually(lambda: group(pid) == [])


def test_the_end_of_its_input_ends_a_command_that_reads_it(tmp_path: Path) -> None:
    process = Process(["cat"], tmp_path / "log", reads_input=True)
    assert process.running
    process.end_input()
    assert process.exit_code == 0


def test_a_failed_start_is_reported_with_the_log(tmp_path: Path) -> None:
    process = Process(["sh", "-c", "echo no room; exit 5"], tmp_path / "thing.log")
    with pytest.raises(RuntimeError, match=r"thing.log ended with 5:\nno room"):
        process.wait_until(lambda: False, 600)
    with (
        Process(["sleep", "600"], tmp_path / "slow.log") as slow,
        pytest.raises(RuntimeError, match="not ready within"),
    ):
        slow.wait_until(lambda: False, 0.1)
