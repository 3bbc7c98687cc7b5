"""Fluent Bit: the files it reads, the order of its filters, its destination and its permissions."""

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


def test_it_reads_only_workers_and_extracts_their_pods(pipe: dict[str, Any]) -> None:
    (tail,) = pipe["pipeline"]["inputs"]
    path = f"/var/log/containers/worker-logins-5c8f7d9b6-x2x7k_tandem-prod_worker-{'a' * 64}.log"
    pattern = re.escape(tail["path"]).replace(r"\*", ".*")
    assert re.fullmatch(pattern, path)
    assert not re.fullmatch(pattern, path.replace("_tandem-prod_", "_default_"))
    (parser,) = [each for each in pipe["parsers"] if each["format"] == "regex"]
    found = re.match(parser["regex"].replace("(?<", "(?P<"), path)
    assert found
    assert found.groupdict() == {"pod": "worker-logins-5c8f7d9b6-x2x7k", "namespace": "tandem-prod"}


def test_tracebacks_are_joined_before_parsing(pipe: dict[str, Any]) -> None:
    names = [each.get("multiline.parser") or each.get("parser") for each in pipe["pipeline"]["filters"]]
    assert names[0] == "python"
    parsers = [name for name in names[1:] if name]
    assert parsers == [each["name"] for each in reversed(pipe["parsers"])]


def test_no_filter_holds_lines_only_in_memory(pipe: dict[str, Any]) -> None:
    """A filter that emits lines again is a separate input: by default in 10 MB of memory, lost with its pod."""
    emitting = [each for each in pipe["pipeline"]["filters"] if each["name"] in {"multiline", "rewrite_tag"}]
    assert [each["name"] for each in emitting] == ["multiline"]
    storage = [each["storage.type"] for each in pipe["pipeline"]["inputs"]]
    assert {*storage, *(each["emitter_storage.type"] for each in emitting)} == {"filesystem"}
    assert pipe["service"]["storage.path"].startswith("/var/lib/tandem-logging/")  # on the node, as the volume


def test_lines_go_to_the_data_stream(pipe: dict[str, Any]) -> None:
    (out,) = pipe["pipeline"]["outputs"]
    template = json.loads((FOLDER / "index-template.json").read_text())
    assert template["index_patterns"] == [out["index"]]
    assert "data_stream" in template
    assert out["write_operation"] == "create"


def test_the_agent_is_root_without_capabilities(agent: Rendered) -> None:
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


def test_the_agent_has_limits_and_probes(agent: Rendered) -> None:
    (container,) = agent.pods["fluent-bit"]["containers"]
    assert container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]
    assert {"livenessProbe", "readinessProbe"} <= set(container)
    assert re.fullmatch(r"cr\.fluentbit\.io/fluent/fluent-bit@sha256:[0-9a-f]{64}", container["image"])


def test_the_agent_has_the_tested_configuration(agent: Rendered, pipe: dict[str, Any]) -> None:
    (given,) = agent.kind("ConfigMap").values()
    volumes: list[Object] = agent.pods["fluent-bit"]["volumes"]
    (volume,) = [each for each in volumes if "configMap" in each]
    assert volume["configMap"]["name"] == given["metadata"]["name"]
    assert yaml.safe_load(given["data"]["fluent-bit.yaml"]) == pipe
