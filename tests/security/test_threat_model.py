"""The threat model names tests: they must exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/threat-model.md").read_text()


def test_the_tests_that_it_names_exist() -> None:
    named = set(re.findall(r"`(tests/[\w/.]+)`", PAGE))
    assert {"tests/security/test_limits.py", "tests/security/test_personal_data.py"} <= named
    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_every_claim_says_what_shows_it() -> None:
    rows = [row for row in re.findall(r"^\| (.*) \|$", PAGE, re.MULTILINE) if not row.startswith("they cannot")]
    assert len(rows) >= 15
    assert [row for row in rows if not re.search(r"`tests/[\w/.]+`", row.rpartition("|")[2])] == []
