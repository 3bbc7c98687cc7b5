"""Fluent Bit, the index template and Kibana know every field of a worker's log lines."""

import ast
import json
import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
import yaml

from functions.adapters.log import logger
from functions.core.dead_letter import Reason
from functions.core.intent import Gap
from functions.core.settle import Settled
from functions.core.slice import Slice
from functions.settings import Settings
from functions.telemetry import fields, settled_fields
from tests.manifests.conftest import K8S, ROOT

FOLDER = K8S / "components" / "logging"
OF_FLUENT_BIT = {"@timestamp", "namespace", "pod", "stream"}
NOT_INDEXED = {"stack_trace"}  # the content of `exception`, split
TIME = "timestamp"

Line = dict[str, Any]


@pytest.fixture
def line(capsys: pytest.CaptureFixture[str]) -> Line:
    """A worker's line with every field."""
    chosen = Settings(
        stage="prod",
        pipeline=f"p{uuid4().hex}",
        lake_bucket="lake",
        dead_letter_bucket="letters",
        mask_key_from="file:/key",
        bootstrap_servers="b-1:9098",
    )
    every = Settled(1, 2, 3, Counter(dict.fromkeys(Reason, 1)), 4, 5, 6, 7, 8, [Gap(1, 2)])
    slice_ = Slice("user-login", 3, 1, 1, [1], [0], [None], [b"{}"], [()])
    error = ZeroDivisionError("boom")
    logger(chosen).error("settled", exc_info=error, extra=fields(slice_) | settled_fields(every, 1.0))
    found: Line = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def known() -> Line:
    """The fields of the index template."""
    template = json.loads((FOLDER / "index-template.json").read_text())
    properties: Line = template["template"]["mappings"]["properties"]
    return properties


def extras() -> set[str]:
    """The additional fields of the worker's lines, from its source."""
    sources = [path.read_text() for path in (ROOT / "functions/runtimes/worker").glob("*.py")]
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    given = [node.value for node in nodes if isinstance(node, ast.keyword) and node.arg == "extra"]
    literals = [each for value in given for each in ast.walk(value) if isinstance(each, ast.Dict)]
    return {str(key.value) for each in literals for key in each.keys if isinstance(key, ast.Constant)}


def test_the_index_knows_every_field(known: Line, line: Line) -> None:
    assert set(known) == (set(line) | extras()) - {TIME} - NOT_INDEXED | OF_FLUENT_BIT
    assert set(known["rejects"]["properties"]) == {reason.value for reason in Reason}


def test_the_time_comes_from_the_line(line: Line) -> None:
    """Fluent Bit's %L is a fraction of a second, Python's %f."""
    parsers = yaml.safe_load((FOLDER / "fluent-bit.yaml").read_text())["parsers"]
    (parser,) = [each for each in parsers if each["format"] == "json"]
    assert parser["time_key"] == TIME
    taken = datetime.strptime(line[TIME], parser["time_format"].replace("%L", "%f")).astimezone(UTC)
    assert taken.strftime("%Y-%m-%d %H:%M:%S,") == line[TIME][:20]


def test_kibana_shows_existing_fields(known: Line) -> None:
    objects = [json.loads(each) for each in (FOLDER / "kibana.ndjson").read_text().splitlines()]
    attributes = [each["attributes"] for each in objects]
    states = [json.loads(each["visState"]) for each in attributes if "visState" in each]
    metas = [each["kibanaSavedObjectMeta"] for each in attributes if "kibanaSavedObjectMeta" in each]
    queries = [json.loads(each["searchSourceJSON"])["query"]["query"] for each in metas]
    shown = {
        "columns": {name for each in attributes for name in each.get("columns", ())},
        "drawn": {agg["params"]["field"] for each in states for agg in each["aggs"] if "field" in agg["params"]},
        "asked": set(re.findall(r"(\w+) : ", " ".join(queries))),
    }
    for what, names in shown.items():
        assert names, what
        assert {name.removesuffix(".keyword") for name in names} <= set(known), what


def test_kibanas_objects_refer_to_each_other() -> None:
    objects = [json.loads(each) for each in (FOLDER / "kibana.ndjson").read_text().splitlines()]
    there = {(each["type"], each["id"]) for each in objects}
    assert len(there) == len(objects)
    assert {(each["type"], each["id"]) for one in objects for each in one["references"]} <= there
