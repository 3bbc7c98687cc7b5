"""The threat model names tests: they must exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/threat-model.md").read_text()
HEADER = re.compile(r"(an? \w+|it) cannot \|")


def test_the_named_tests_exist() -> None:
    named = set(re.findall(r"`(tests/[\w/.]+)`", PAGE))
    assert {"tests/security/test_limits.py", "tests/security/test_personal_data.py"} <= named
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_every_claim_names_its_test() -> None:
    rows = [row for row in re.findall(r"^\| (.*) \|$", PAGE, re.MULTILINE) if not HEADER.match(row)]
    assert len(rows) >= 15
    assert [row for row in rows if not re.search(r"`tests/[\w/.]+`", row.rpartition("|")[2])] == []
