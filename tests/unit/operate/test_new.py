"""`tandem new`: what it writes, what it refuses, and that it refuses before it writes."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from functions.cli.main import main
from functions.core.errors import Misconfigured
from functions.operate.new import run as new_run
from functions.operate.new.overlay import with_resource
from functions.operate.new.run import NewPipeline, checkout, run

HEAD = "# Pipelines.\nkind: Kustomization\n"
TAIL = "components:\n  - ../rest\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree with the folders that the verb writes to, and two stages."""
    for folder in ("functions/pipelines", "tests/unit/pipelines", "k8s/pipelines"):
        (tmp_path / folder).mkdir(parents=True)
    for stage, resources in (("dev", "resources:\n  - ../../../pipelines/logins\n"), ("prod", "resources: []\n")):
        resting = tmp_path / "k8s/overlays" / stage / "resting"
        resting.mkdir(parents=True)
        (resting / "kustomization.yaml").write_text(HEAD + resources + TAIL)
    return tmp_path


def files(root: Path) -> dict[str, str]:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("resources: []\n", "resources:\n  - new\n"),
        ("resources: [ ] # none yet\n", "resources: # none yet\n  - new\n"),
        ("resources: [a, ../b]\n", "resources:\n  - a\n  - ../b\n  - new\n"),
        ("resources:\n  - a\n", "resources:\n  - a\n  - new\n"),
        ("resources:\n- a\n- b # last\n", "resources:\n- a\n- b # last\n- new\n"),
        ("resources:\n  - a\n  # about b\n  - b\n", "resources:\n  - a\n  # about b\n  - b\n  - new\n"),
        ("resources:\n  - a\n# about components\n", "resources:\n  - a\n  - new\n# about components\n"),
    ],
)
def test_a_resource_is_added_and_the_rest_stays(before: str, after: str) -> None:
    assert with_resource(HEAD + before + TAIL, "new") == HEAD + after + TAIL


def test_a_list_at_the_end_of_a_file_without_a_line_break_is_extended() -> None:
    assert with_resource("resources:\n  - a", "new") == "resources:\n  - a\n  - new\n"


@pytest.mark.parametrize("text", [HEAD, HEAD + "resources:\n" + TAIL, HEAD + "resources: {}\n", "  resources: []\n"])
def test_a_file_without_a_list_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a list `resources`"):
        with_resource(text, "new")


def test_every_stage_gets_a_line_and_every_file_its_names(root: Path) -> None:
    said: list[str] = []
    run(root, NewPipeline("page-views", "page.view"), said.append)
    written = files(root)
    line = "  - ../../../pipelines/page-views\n"
    assert written["k8s/overlays/dev/resting/kustomization.yaml"].count(line) == 1
    assert written["k8s/overlays/prod/resting/kustomization.yaml"] == f"{HEAD}resources:\n{line}{TAIL}"
    assert 'name="page-views",\n    topic="page.view",' in written["functions/pipelines/page_views.py"]
    assert 'tandem/topic: "page.view"' in written["k8s/pipelines/page-views/kustomization.yaml"]
    assert "from functions.pipelines.page_views import" in written["tests/unit/pipelines/test_page_views.py"]
    assert len(said) == len(written) + 1
    assert all(any(path in each for each in said) for path in written)


def test_a_dry_run_shows_everything_and_writes_nothing(root: Path) -> None:
    before, said = files(root), list[str]()
    run(root, NewPipeline("views", "views", execute=False), said.append)
    assert files(root) == before
    shown = [line.removeprefix("  ") for each in said for line in each.splitlines()]
    run(root, NewPipeline("views", "views"), said.append)
    for path in ("functions/pipelines/views.py", "tests/unit/pipelines/test_views.py"):
        assert set((root / path).read_text().splitlines()) <= set(shown)
    assert shown.count("- ../../../pipelines/views") + shown.count("  - ../../../pipelines/views") == 2


@pytest.mark.parametrize(
    ("name", "topic", "expected"),
    [
        ("a", "a", "2 to 48 lower-case letters"),
        ("Views", "a", "2 to 48 lower-case letters"),
        ("../views", "a", "2 to 48 lower-case letters"),
        ("views-", "a", "not ending with a hyphen"),
        ("v" * 49, "a", "2 to 48 lower-case letters"),
        ("import", "a", "a keyword of Python"),
        ("views", "a/b", "expected a valid Kafka topic name"),
        ("logins-per-minute", "a", "Counters of logins have it"),
    ],
)
def test_a_wrong_name_is_refused_in_one_line(root: Path, name: str, topic: str, expected: str) -> None:
    before = files(root)
    with pytest.raises(Misconfigured) as refused:
        run(root, NewPipeline(name, topic), print)
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)
    assert files(root) == before


@pytest.mark.parametrize(
    "path",
    [
        "functions/pipelines/views.py",
        "tests/unit/pipelines/test_views.py",
        "k8s/pipelines/views/kustomization.yaml",
    ],
)
def test_no_file_is_replaced(root: Path, path: str) -> None:
    (root / path).parent.mkdir(exist_ok=True)
    (root / path).write_text("mine")
    before = files(root)
    with pytest.raises(Misconfigured, match=re.escape(f"{path} exists")):
        run(root, NewPipeline("views", "views"), print)
    assert files(root) == before


def test_an_overlay_that_cannot_be_changed_is_named_before_anything_is_written(root: Path) -> None:
    (root / "k8s/overlays/prod/resting/kustomization.yaml").write_text(HEAD)
    before = files(root)
    with pytest.raises(Misconfigured, match=r"prod/resting/kustomization\.yaml: expected a list"):
        run(root, NewPipeline("views", "views"), print)
    assert files(root) == before


def test_a_folder_that_cannot_be_written_is_one_line(root: Path) -> None:
    (root / "k8s/pipelines").rmdir()
    (root / "k8s/pipelines").write_text("a file")
    with pytest.raises(Misconfigured, match=r"views/kustomization\.yaml: Not a directory"):
        run(root, NewPipeline("views", "views"), print)


def test_it_works_in_a_checkout_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (checkout() / "pyproject.toml").is_file()
    pipelines = SimpleNamespace(__file__=str(tmp_path / "functions/pipelines/__init__.py"))
    monkeypatch.setattr(new_run, "functions", SimpleNamespace(pipelines=pipelines))
    with pytest.raises(SystemExit):
        main(["new", "views"])
    expected = f"error: tandem new: expected a checkout of Tandem, {tmp_path} has no functions/pipelines\n"
    assert capsys.readouterr().err == expected
