"""Lines to a file that is complete or not there."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from functions.cli.output_file import line_output
from functions.core.errors import InvalidSetting, Refused


def test_a_file_is_there_when_it_is_complete_and_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "letters.jsonl"
    file.write_text("old")
    with line_output(file, "--to") as write:
        write("é")
        assert file.read_text() == "old"
    assert file.read_text() == "é\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_stays_one(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("real")
    with line_output(link, "--to") as write:
        write("a")
    assert (link.is_symlink(), (tmp_path / "real").read_text()) == (True, "a\n")


def interrupt(write: Callable[[str], None]) -> None:
    write("a")
    raise KeyboardInterrupt


def test_what_is_interrupted_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), line_output(tmp_path / "file", "--to") as write:
        interrupt(write)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [None, "-"])
def test_standard_output_is_the_default(name: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    with line_output(None if name is None else Path(name), "--to") as write:
        write("a")
    assert capsys.readouterr().out == "a\n"


def test_a_device_is_written_and_stays() -> None:
    with line_output(Path("/dev/null"), "--to") as write:
        write("a")
    assert Path("/dev/null").is_char_device()


def test_what_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, error in (
        (tmp_path, "Is a directory"),
        (tmp_path / "none/file", "No such file or directory"),
        (tmp_path / "file/file", "Not a directory"),
    ):
        with pytest.raises(InvalidSetting, match=f"^--to {path}: {error}$"), line_output(path, "--to"):
            pass
    with (
        pytest.raises(Refused, match=r"^/dev/full: No space left on device$"),
        line_output(Path("/dev/full"), "") as write,
    ):
        write("a" * 100_000)
