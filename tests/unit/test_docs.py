"""What the docs show works."""

import re
from pathlib import Path

from functions.core.pipeline import Pipeline

DOCS = Path(__file__).parents[2] / "docs"


def test_the_pipeline_in_the_docs_is_one() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "write-a-pipeline.md").read_text(), re.DOTALL)
    names: dict[str, object] = {"__name__": "orders"}
    exec(code, names)  # noqa: S102 - our own page
    declared = names["PIPELINE"]
    assert isinstance(declared, Pipeline)
    row = declared.process(declared.event(order_id="1", customer="c", cents=250, at=60))
    assert row is not None
    assert row.euros == 2.5


def test_links_between_pages_lead_somewhere() -> None:
    pages = [*DOCS.rglob("*.md"), DOCS.parent / "README.md"]
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())]
    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == []


def test_the_tests_that_semantics_names_exist() -> None:
    named = re.findall(r"`(tests/[\w/.]+)`", (DOCS / "semantics.md").read_text())
    assert named
    assert [path for path in named if not (DOCS.parent / path).exists()] == []
