"""Commands and code in the pages can be run."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer.main

from functions.cli.main import app
from functions.core.pipeline import Pipeline
from tests.docs.pages import ROOT, Block, blocks, page, pages

SHELL = blocks("", "sh", "bash", "shell", "console")
TARGETS = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def commands() -> Iterator[tuple[str, str]]:
    """(page, command) of every quoted or displayed command, without prompts and comments."""
    for block in SHELL:
        joined = block.code.replace("\\\n", " ")
        yield from ((block.page, line.removeprefix("$ ").split(" #")[0].strip()) for line in joined.splitlines())
    yield from ((each.name, text) for each in pages() for text in each.quoted)


def named(program: str) -> list[tuple[str, list[str]]]:
    """(page, words after the program's name) of every command of a program."""
    found = ((page, command.removeprefix(".venv/bin/").split(None, 1)) for page, command in commands())
    return [(page, _words("".join(words[1:]))) for page, words in found if words and words[0] == program]


def unknown(words: list[str]) -> set[str]:
    """An unknown verb of `tandem`, or the unknown options of a verb."""
    verb: Any = typer.main.get_command(app)
    while (verbs := getattr(verb, "commands", None)) and words and not words[0].startswith("-"):
        if words[0] not in verbs:
            return {words[0]}
        verb, words = verbs[words[0]], words[1:]
    options = {name for each in verb.params for name in each.opts} | {"--help"}
    return {word for word in words if word.startswith("--") and word.split("=")[0] not in options}


def test_there_are_commands() -> None:
    assert {words[0] for _, words in named("tandem") if words} >= {"demo", "status", "rewind", "dead-letters"}
    assert {words[0] for _, words in named("make") if words} >= {"demo", "test"}


def test_verbs_and_their_options_exist() -> None:
    assert [(page, wrong) for page, words in named("tandem") if (wrong := unknown(words))] == []


def test_unknown_verbs_and_options_are_detected() -> None:
    assert unknown(["demos"]) == {"demos"}
    assert unknown(["dead-letters", "redrive", "--all", "--execute"]) == {"--all"}


def test_make_targets_exist() -> None:
    goals = [(page, word) for page, words in named("make") for word in words if "=" not in word and word[0] != "-"]
    assert [(page, goal) for page, goal in goals if goal not in TARGETS] == []


@pytest.mark.parametrize("block", [block for block in SHELL if block.language], ids=lambda block: block.page)
def test_shell_blocks_parse(block: Block) -> None:
    done = subprocess.run(["bash", "-n"], input=block.code, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{block.page}: {done.stderr}\n{block.code}"


@pytest.mark.parametrize("block", blocks("json"), ids=lambda block: block.page)
def test_json_blocks_parse(block: Block) -> None:
    json.loads(block.code)


@pytest.mark.parametrize("block", blocks("python"), ids=lambda block: block.page)
def test_python_blocks_compile(block: Block) -> None:
    compile(block.code, block.page, "exec")


def test_the_pipeline_in_the_docs_works() -> None:
    declared = orders().PIPELINE
    assert isinstance(declared, Pipeline)
    process: Any = declared.process
    row = process(declared.event(order_id="1", customer="c", cents=250, at=60))
    assert row is not None
    assert row.euros == 2.5


def test_the_quick_start_prints_the_output_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "functions.pipelines.orders", orders())
    shown = page("docs/quick-start.md").blocks
    (position,) = (number for number, block in enumerate(shown) if block.language == "python")
    exec(shown[position].code, {})  # noqa: S102 - our own page
    assert capsys.readouterr().out == shown[position + 1].code


def test_the_test_in_the_docs_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "functions.pipelines.orders", orders())
    _, code = written()
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - our own page
    tests = [each for name, each in names.items() if name.startswith("test_")]
    assert len(tests) == 2
    for each in tests:
        each()


@pytest.mark.parametrize(
    ("index", "path"), [(0, "functions/pipelines/orders.py"), (1, "tests/unit/pipelines/test_orders.py")]
)
def test_the_code_in_the_docs_passes_our_lint(index: int, path: str) -> None:
    first_party = 'lint.isort.known-first-party = ["functions"]'  # otherwise ruff looks for the file of `orders`
    for verb in (["check", "--config", first_party], ["format", "--check"]):
        command = [str(Path(sys.executable).with_name("ruff")), *verb, "--quiet", "--stdin-filename", path, "-"]
        done = subprocess.run(command, cwd=ROOT, input=written()[index], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def written() -> list[str]:
    """The Python blocks of "Write a pipeline": the pipeline and its test."""
    return [block.code for block in page("docs/write-a-pipeline.md").blocks if block.language == "python"]


def orders() -> ModuleType:
    """The example of "Write a pipeline" as a module."""
    code, _ = written()
    module = ModuleType("functions.pipelines.orders")
    exec(code, vars(module))  # noqa: S102 - our own page
    return module


def _words(text: str) -> list[str]:
    """The words as a shell splits them, without substitutions."""
    return shlex.split(text, comments=True)
