"""Fluent Bit: which files it reads, in which order it takes lines apart, where they go, and what it may."""

import json
import re
from typing import Any

import pytest
import yaml

from tests.manifests.conftest import K8S, Object, Rendered, render

FOLDER = K8S / "components" / "logging"


@pytest.fixture
def pipe() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((FOLDER / "fluent-bit.yaml").read_text())
    return found


@pytest.fixture
def agent() -> Rendered:
    return render(K8S / "overlays" / "logging")


def test_only_workers_are_read_and_their_pods_named(pipe: dict[str, Any]) -> None:
    (tail,) = pipe["pipeline"]["inputs"]
    path = f"/var/log/containers/worker-logins-5c8f7d9b6-x2x7k_tandem-prod_worker-{'a' * 64}.log"
    pattern = re.escape(tail["path"]).replace(r"\*", ".*")
    assert re.fullmatch(pattern, path)
    assert not re.fullmatch(pattern, path.replace("_tandem-prod_", "_default_"))
    (parser,) = [each for each in pipe["parsers"] if each["format"] == "regex"]
    found = re.match(parser["regex"].replace("(?<", "(?P<"), path)
    assert found
    assert found.groupdict() == {"pod": "worker-logins-5c8f7d9b6-x2x7k", "namespace": "tandem-prod"}


def test_tracebacks_are_joined_before_lines_are_parsed(pipe: dict[str, Any]) -> None:
    names = [each.get("multiline.parser") or each.get("parser") for each in pipe["pipeline"]["filters"]]
    assert names[0] == "python"
    parsers = [name for name in names[1:] if name]
    assert parsers == [each["name"] for each in reversed(pipe["parsers"])]


def test_lines_go_to_the_data_stream(pipe: dict[str, Any]) -> None:
    (out,) = pipe["pipeline"]["outputs"]
    template = json.loads((FOLDER / "index-template.json").read_text())
    assert template["index_patterns"] == [out["index"]]
    assert "data_stream" in template
    assert out["write_operation"] == "create"


def test_the_agent_is_a_root_that_may_nothing(agent: Rendered) -> None:
    pod = agent.pods["fluent-bit"]
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "runAsUser": 0,
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    written = {each["mountPath"] for each in container["volumeMounts"] if not each.get("readOnly")}
    assert written == {"/var/lib/tandem-logging"}
    assert pod["automountServiceAccountToken"] is False
    assert {each["kind"] for each in agent.objects}.isdisjoint({"Role", "ClusterRole"})


def test_the_agent_is_bounded_and_probed(agent: Rendered) -> None:
    (container,) = agent.pods["fluent-bit"]["containers"]
    assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]
    assert {"livenessProbe", "readinessProbe"} <= set(container)
    assert not container["image"].endswith((":latest", "fluent-bit"))


def test_the_agent_runs_what_is_tested_here(agent: Rendered, pipe: dict[str, Any]) -> None:
    (given,) = agent.kind("ConfigMap").values()
    volumes: list[Object] = agent.pods["fluent-bit"]["volumes"]
    (volume,) = [each for each in volumes if "configMap" in each]
    assert volume["configMap"]["name"] == given["metadata"]["name"]
    assert yaml.safe_load(given["data"]["fluent-bit.yaml"]) == pipe
