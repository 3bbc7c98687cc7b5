"""Every object is one that the API server takes: built-in kinds by Kubernetes' schemas, others by their projects'."""

import json
from pathlib import Path

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped] # it has no stubs
import pytest
import yaml

from cdk.choices import NewEks
from tests.manifests.conftest import K8S, Object, render, with_components

SCHEMAS = {path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "schemas").glob("*.json")}
OVERLAYS = sorted(path.parent.name for path in (K8S / "overlays").glob("*/kustomization.yaml"))


def check(thing: Object) -> None:
    schema = SCHEMAS.get(f"{thing['apiVersion'].replace('/', '-')}-{thing['kind']}")
    if schema is None:
        kubernetes_validate.validate(thing, NewEks().version, strict=True)
    else:
        jsonschema.validate(thing, schema)


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_object_of_an_overlay(name: str) -> None:
    objects = render(K8S / "overlays" / name).objects
    assert objects
    for each in objects:
        check(each)


@pytest.mark.parametrize("stage", ["dev", "prod"])
@pytest.mark.parametrize(
    "components", [["keda"], ["keda", "keda/scram"], ["secrets"], ["secrets", "secrets/scram"], ["spot"], ["rest"]]
)
def test_every_object_of_a_component(components: list[str], stage: str, tmp_path: Path) -> None:
    for each in with_components(tmp_path, stage, *components).objects:
        check(each)


def test_the_nodes_for_spot() -> None:
    check(yaml.safe_load((K8S / "components/spot/nodepool.yaml").read_text()))


def test_a_misspelt_field_is_found(tmp_path: Path) -> None:
    rendered = with_components(tmp_path, "prod", "keda")
    scaled, account = rendered.kind("ScaledObject")["worker-logins"], rendered.kind("ServiceAccount")["worker-logins"]
    with pytest.raises(jsonschema.ValidationError, match="'pollInterval' was unexpected"):
        check(scaled | {"spec": scaled["spec"] | {"pollInterval": 30}})
    with pytest.raises(kubernetes_validate.ValidationError, match="'automountToken' was unexpected"):
        check(account | {"automountToken": False})
