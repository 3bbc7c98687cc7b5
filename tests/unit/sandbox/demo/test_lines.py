from pathlib import Path

import pytest

from functions.core.errors import Misconfigured
from sandbox.demo import records as demo_records
from sandbox.demo.records import Fate


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
    records = demo_records.read_lines(file)
    assert [record.value for record in records] == values
    assert {record.expected for record in records} == {Fate.ONE}


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"^--input .*none: No such file or directory$"):
        demo_records.read_lines(tmp_path / "none")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="Is a directory"):
        demo_records.read_lines(tmp_path)


def test_nothing_in_it(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with pytest.raises(Misconfigured, match="got an empty file"):
        demo_records.read_lines(tmp_path / "empty")


def test_a_line_that_lambda_could_never_be_given(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"{}\n" + b"x" * (demo_records.MAX_LINE_BYTES + 1))
    with pytest.raises(Misconfigured, match=r"line 2 has 4,194,305 bytes"):
        demo_records.read_lines(tmp_path / "long")
