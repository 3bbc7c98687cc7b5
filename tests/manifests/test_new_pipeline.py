"""`tandem new` in a copy of the tree: what it writes passes the checks there, without a change by hand.

The examples of the documentation replace the pipelines that were written for them.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import docs.examples
from functions import registry
from tests.docs.pages import page
from tests.manifests.conftest import ROOT, render

LONG = "p" + "-23456789" * 5 + "ab"  # 48 characters: lines are as long as they can be
TREES = ("functions", "cdk", "k8s", "tests", "sandbox")
FILES = ("cdk.json", "pyproject.toml")
EXAMPLES = {path.stem: registry.load(path.stem, docs.examples) for path in (ROOT / "docs/examples").glob("*.py")}
TOPICS = {"page-views": "page.view"} | {name: example.topic for name, example in EXAMPLES.items()}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("checkout")
    for tree in TREES:
        shutil.copytree(ROOT / tree, root / tree, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for file in FILES:
        shutil.copy(ROOT / file, root)
    for name in ("null", LONG, *TOPICS):
        remove(root, name)
        done = python(root, "functions.cli.main", "new", name, "--topic", TOPICS.get(name, name))
        assert done.returncode == 0, done.stderr
    for name in EXAMPLES:
        shutil.copy(ROOT / "docs" / "examples" / f"{name}.py", root / "functions" / "pipelines")
        (root / "tests" / "unit" / "pipelines" / f"test_{name}.py").unlink()
    with (root / "k8s/pipelines/inventory/kustomization.yaml").open("a") as folder:  # as docs/custom-sinks.md says
        folder.write(next(block.code for block in page("docs/custom-sinks.md").blocks if block.language == "yaml"))
    return root


def remove(root: Path, name: str) -> None:
    """Remove a pipeline of this name, which the checkout may have: the documentation's first pipeline is `orders`."""
    module = name.replace("-", "_")
    (root / "functions" / "pipelines" / f"{module}.py").unlink(missing_ok=True)
    (root / "tests" / "unit" / "pipelines" / f"test_{module}.py").unlink(missing_ok=True)
    shutil.rmtree(root / "k8s" / "pipelines" / name, ignore_errors=True)
    for overlay in (root / "k8s" / "overlays").rglob("kustomization.yaml"):
        lines = overlay.read_text().splitlines(keepends=True)
        overlay.write_text("".join(line for line in lines if not line.endswith(f"/pipelines/{name}\n")))


def python(root: Path, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_code_passes_lint_and_format(copy: Path) -> None:
    for verb in (["check"], ["format", "--check"]):
        done = python(copy, "ruff", *verb, "--quiet", "--no-cache", "functions/pipelines", "tests/unit/pipelines")
        assert done.returncode == 0, done.stdout


def test_the_declarations_are_valid(copy: Path) -> None:
    done = python(copy, "functions.cli.main", "pipelines")
    assert done.returncode == 0, done.stderr
    assert "page-views: from topic page.view to lake, counters page-views" in done.stdout
    assert f"{LONG}: from topic {LONG} to lake" in done.stdout


def test_the_unit_tests_and_the_tests_of_the_manifests_pass(copy: Path) -> None:
    tests = [f"tests/unit/pipelines/test_{name}.py" for name in ("page_views", "null", LONG.replace("-", "_"))]
    done = python(
        copy, "pytest", "-p", "no:cacheprovider", "-rs", *tests, "tests/manifests/test_pipelines.py",
        "--deselect", "tests/manifests/test_new_pipeline.py",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_every_stage_renders_a_worker_that_rests(copy: Path) -> None:
    for stage in ("dev", "prod"):
        workers = render(copy / "k8s" / "overlays" / stage).kind("Deployment")
        for name in ("null", LONG, *TOPICS):
            worker = workers[f"worker-{name}"]
            assert worker["spec"]["replicas"] == 0
            assert worker["metadata"]["labels"]["tandem/pipeline"] == name
            assert worker["metadata"]["annotations"]["tandem/topic"] == TOPICS.get(name, name)
