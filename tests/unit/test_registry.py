"""Loading pipelines: a broken file fails with the module's name and the problem."""

import importlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from functions import registry
from functions.core.errors import InvalidPipeline
from functions.pipelines.logins import PIPELINE

GOOD = """
from datetime import datetime
from pydantic import BaseModel
from functions.core.pipeline import Pipeline
from functions.core.sinks import Counters, Lake, Table, Topic

class Row(BaseModel):
    user: str
    at: datetime

PIPELINE = Pipeline(
    name="{name}", topic="t", event=Row, row=Row, process=lambda row: row,
    sinks=(Lake(), Table("{table}", key="user", newest_by="at"), Counters("{counter}", (), 60, "at"),
           Topic("out", key="user")),
)
"""
Package = Callable[..., ModuleType]


def good(name: str, table: str | None = None, counter: str | None = None) -> str:
    return GOOD.format(name=name, table=table or f"{name}-table", counter=counter or f"{name}-counter")


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """Return a function that creates a package of pipeline files, importable under a unique name."""
    name = f"pipelines_{tmp_path.name.replace('-', '_')}"

    def make(**files: str) -> ModuleType:
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").touch()
        for file, text in files.items():
            (folder / f"{file}.py").write_text(text)
        return importlib.import_module(name)

    monkeypatch.syspath_prepend(tmp_path)
    yield make
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


def test_the_declared_pipelines_load() -> None:
    assert registry.load_all()["logins"] is PIPELINE


def test_a_pipeline_is_found_by_its_file(package: Package) -> None:
    declared = package(clicks=good("clicks"), user_visits=good("user-visits"))
    assert registry.names(declared) == ["clicks", "user-visits"]
    assert registry.load("user-visits", declared).name == "user-visits"
    assert list(registry.load_all(declared)) == ["clicks", "user-visits"]


def test_loading_a_pipeline_imports_no_other(package: Package) -> None:
    declared = package(clicks=good("clicks"), broken="1 / 0")
    assert registry.load("clicks", declared).name == "clicks"
    with pytest.raises(InvalidPipeline, match="broken: ZeroDivisionError"):
        registry.load_all(declared)


def test_an_unknown_name_lists_the_known_ones(package: Package) -> None:
    with pytest.raises(InvalidPipeline, match="expected one of the pipelines clicks, visits, got 'click'"):
        registry.load("click", package(clicks=good("clicks"), visits=good("visits")))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", r"expected PIPELINE = Pipeline\(\.\.\.\), got None"),
        ("PIPELINE = 3", r"expected PIPELINE = Pipeline\(\.\.\.\), got 3"),
        (good("other"), "name: expected 'clicks' in this file, got 'other'"),
        ("import no_such_module_anywhere", "No module named 'no_such_module_anywhere'"),
        ("from functions.core.sinks import Nothing", "ImportError: cannot import name 'Nothing'"),
        ("PIPELINE = (", r"SyntaxError: '\(' was never closed \(clicks.py, line 1\)"),
        ("raise RuntimeError('boom')", "RuntimeError: boom"),
        (good("clicks").replace('key="user", newest', 'key="usr", newest'), "pipeline 'clicks': sinks: Table .* 'usr'"),
        (good("clicks").replace("user: str", "user: set[str]"), "pipeline 'clicks': row: Row.user: cannot store"),
        (good("clicks").replace("sinks=", "sink="), "TypeError: .*'sink'"),
        (
            good("clicks").replace("at: datetime", "at: datetime\n    model_config = {}\n    model_x: object()"),
            "Error: ",
        ),
    ],
    ids=["empty", "no-pipeline", "name", "module", "import", "syntax", "raises", "field", "row", "argument", "model"],
)
def test_a_broken_file_is_named_with_its_problem(package: Package, text: str, problem: str) -> None:
    declared = package(clicks=text)
    with pytest.raises(InvalidPipeline, match=rf"^{declared.__name__}\.clicks: .*{problem}") as error:
        registry.load("clicks", declared)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ({"table": "same"}, "sinks: expected one pipeline with Table 'same', got clicks and visits"),
        ({"counter": "same"}, "sinks: expected one pipeline with Counters 'same', got clicks and visits"),
    ],
)
def test_a_table_or_counter_belongs_to_one_pipeline(package: Package, names: dict[str, str], problem: str) -> None:
    declared = package(clicks=good("clicks", **names), visits=good("visits", **names))
    with pytest.raises(InvalidPipeline, match=problem):
        registry.load_all(declared)


def test_a_table_and_a_counter_may_share_a_name_and_pipelines_a_topic(package: Package) -> None:
    declared = package(clicks=good("clicks", table="same"), visits=good("visits", counter="same"))
    assert len(registry.load_all(declared)) == 2
