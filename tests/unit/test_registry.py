"""Finding pipelines: what is broken is refused when it is loaded, naming the module and what is wrong."""

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
    """Makes a package of pipeline files, importable under a name of its own."""
    name = f"declared_{tmp_path.name.replace('-', '_')}"

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


def test_the_declared_pipelines_are_in_order() -> None:
    assert registry.load_all()["logins"] is PIPELINE


def test_a_pipeline_is_found_by_its_file(package: Package) -> None:
    made = package(clicks=good("clicks"), user_visits=good("user-visits"))
    assert registry.names(made) == ["clicks", "user-visits"]
    assert registry.load("user-visits", made).name == "user-visits"
    assert list(registry.load_all(made)) == ["clicks", "user-visits"]


def test_loading_one_imports_no_other(package: Package) -> None:
    made = package(clicks=good("clicks"), broken="1 / 0")
    assert registry.load("clicks", made).name == "clicks"
    with pytest.raises(InvalidPipeline, match="broken: ZeroDivisionError"):
        registry.load_all(made)


def test_a_name_that_is_not_there_says_which_are(package: Package) -> None:
    with pytest.raises(InvalidPipeline, match="there is no pipeline 'click', there are: clicks, visits"):
        registry.load("click", package(clicks=good("clicks"), visits=good("visits")))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", r"takes PIPELINE = Pipeline\(\.\.\.\), got None"),
        ("PIPELINE = 3", r"takes PIPELINE = Pipeline\(\.\.\.\), got 3"),
        (good("other"), "name: takes 'clicks' in this file, got 'other'"),
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
def test_a_broken_file_is_named_with_what_is_wrong(package: Package, text: str, told: str) -> None:
    made = package(clicks=text)
    with pytest.raises(InvalidPipeline, match=rf"^{made.__name__}\.clicks: .*{told}") as error:
        registry.load("clicks", made)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ({"table": "same"}, "sinks: Table 'same' takes one pipeline, clicks and visits declare it"),
        ({"counter": "same"}, "sinks: Counters 'same' takes one pipeline, clicks and visits declare it"),
    ],
)
def test_a_table_or_counter_belongs_to_one_pipeline(package: Package, names: dict[str, str], told: str) -> None:
    made = package(clicks=good("clicks", **names), visits=good("visits", **names))
    with pytest.raises(InvalidPipeline, match=told):
        registry.load_all(made)


def test_a_table_and_a_counter_may_share_a_name_and_pipelines_a_topic(package: Package) -> None:
    made = package(clicks=good("clicks", table="same"), visits=good("visits", counter="same"))
    assert len(registry.load_all(made)) == 2
