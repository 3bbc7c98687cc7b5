"""Parts of `tandem up` without processes: the folder and its lock, the display, pipelines that cannot be imported."""

import json
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from threading import Event

import pytest
from rich.console import Console

from functions.core.errors import Misconfigured
from functions.core.handover_ports import Runtime
from sandbox.up.command import UpOptions, up
from sandbox.up.reload import watching
from sandbox.up.state import FOLDER, SandboxFolder, chosen_folder
from sandbox.up.view import PipelineRow, UpView

ROW = PipelineRow("logins", "worker", 1200, 34, 2, "3 (flood)")


def test_the_lock_is_held_by_one_and_the_announcement_is_there_meanwhile(tmp_path: Path) -> None:
    folder = SandboxFolder(tmp_path / "new")
    assert folder.running() is None
    with folder.held():
        assert folder.running() is None
        folder.publish({"TANDEM_STAGE": "sandbox"})
        with pytest.raises(Misconfigured, match="a sandbox is running already"), SandboxFolder(tmp_path / "new").held():
            pytest.fail("a second one holds it")
        running = folder.running()
        assert running is not None
        assert running["environment"] == {"TANDEM_STAGE": "sandbox"}
    assert folder.running() is None
    assert not folder.is_held


def test_an_announcement_without_the_lock_is_a_leftover(tmp_path: Path) -> None:
    folder = SandboxFolder(tmp_path)
    (tmp_path / "lock").touch()
    (tmp_path / "running.json").write_text(json.dumps({"pid": 1, "environment": {}}))
    assert folder.running() is None


def test_commands_at_the_same_time_do_not_take_each_other_for_a_sandbox(tmp_path: Path) -> None:
    folder = SandboxFolder(tmp_path)
    folder.claim()
    with ThreadPoolExecutor(4) as threads:
        assert not any(threads.map(lambda _: folder.is_held, range(2000)))


def test_a_folder_with_other_content_is_neither_used_nor_deleted(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    folder = SandboxFolder(tmp_path)
    with pytest.raises(Misconfigured, match="expected an empty folder"):
        folder.claim()
    folder.clear()
    assert (tmp_path / "logs").exists()


def test_an_empty_variable_means_the_folder_of_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANDEM_SANDBOX", "")
    assert chosen_folder() == FOLDER


def test_another_broker_does_not_delete_the_data_of_apache_kafka(tmp_path: Path) -> None:
    folder = SandboxFolder(tmp_path)
    folder.claim()
    folder.kafka.mkdir()
    with pytest.raises(Misconfigured, match="--fresh deletes it"):
        up(UpOptions("embedded", Runtime.WORKER, fresh=False, detach=False), folder)
    assert folder.kafka.exists()


@pytest.mark.parametrize("width", [40, 120])
def test_a_terminal_shows_a_table_and_the_last_notes(width: int) -> None:
    output = StringIO()
    view = UpView(Console(file=output, width=width, force_terminal=True, color_system=None))
    view.update([ROW])
    view.note("ready")
    view.console.print(view.render())
    text = output.getvalue()
    assert "1,200" in text
    assert "flood" in text
    assert "ready" in text
    assert max(map(len, text.splitlines())) <= width


def test_elsewhere_it_prints_a_line_when_something_changed() -> None:
    output = StringIO()
    view = UpView(Console(file=output, width=200))
    view.update([ROW])
    view.update([ROW])
    (line,) = output.getvalue().splitlines()
    assert line.endswith("logins: worker, 1,200 settled, lag 34, 2 letters, stopped: 3 (flood)")


def test_saving_a_file_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.up.reload.ROOT", tmp_path)
    monkeypatch.setattr("sandbox.up.reload.FOLDERS", ("pipelines",))
    (tmp_path / "pipelines").mkdir()
    saved = Event()
    with watching(saved.set):
        for number in range(600):
            (tmp_path / "pipelines/logins.py").write_text(f"# {number}")
            if saved.wait(0.1):
                break
    assert saved.is_set()
