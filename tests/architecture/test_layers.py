"""What import-linter cannot check: which modules an import loads, and that packages are only folders."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FUNCTIONS = ROOT / "functions"
TREES = ("functions", "sandbox", "cdk")
HEAVY = {
    "boto3",
    "botocore",
    "confluent_kafka",
    "aws_lambda_powertools",
    "aws_cdk",
    "arro3",
    "prometheus_client",
    "moto",
    "fastavro",
    "google",
    "jsonschema",
    "msgspec",
    "zstandard",
}


@pytest.mark.parametrize("layer", ["core", "codecs", "pipelines"])
def test_pure_layers_load_no_client(layer: str) -> None:
    modules = [
        ".".join(path.relative_to(FUNCTIONS.parent).with_suffix("").parts)
        for path in (FUNCTIONS / layer).glob("*.py")
        if path.stem != "struct_models"  # imported only for a pipeline with a msgspec.Struct: see decisions
    ]
    code = (
        f"import sys\nfor name in {modules!r}: __import__(name)\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not HEAVY & set(loaded)


def test_every_package_is_only_a_folder() -> None:
    packages = [path for tree in TREES for path in (ROOT / tree).rglob("__init__.py")]
    assert {path.relative_to(ROOT).parts[0] for path in packages} == set(TREES)
    assert [path for path in packages if path.read_text()] == []


def test_the_handler_loads_nothing_of_the_worker() -> None:
    code = "import sys, functions.runtimes.msk.handler; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert not {"confluent_kafka", "prometheus_client", "typer", "rich", "moto"} & set(loaded)
