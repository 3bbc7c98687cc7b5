from pathlib import Path

import pytest

from functions.core.errors import Misconfigured
from functions.local.demo import lines
from functions.local.demo.record import Fate


@pytest.mark.parametrize(
    ("content", "values"),
    [
        (b"a\nb\n", [b"a", b"b"]),
        (b"a\nb", [b"a", b"b"]),
        (b"\n", [b""]),
        (b"a\n\n\xff\r\n", [b"a", b"", b"\xff\r"]),
    ],
)
def test_each_line_as_it_stands(tmp_path: Path, content: bytes, values: list[bytes]) -> None:
    file = tmp_path / "lines"
    file.write_bytes(content)
    records = lines.read(file)
    assert [record.value for record in records] == values
    assert {record.expected for record in records} == {Fate.ONE}


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"^--input .*none: No such file or directory$"):
        lines.read(tmp_path / "none")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="Is a directory"):
        lines.read(tmp_path)


def test_nothing_in_it(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(Misconfigured, match="is empty"):
        lines.read(tmp_path / "empty")


def test_a_line_that_lambda_could_never_be_given(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"{}\n" + b"x" * (lines.LONGEST + 1))
    with pytest.raises(Misconfigured, match=r"line 2 has 4,194,305 bytes"):
        lines.read(tmp_path / "long")
