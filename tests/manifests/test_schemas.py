"""Every object is valid: built-in kinds by Kubernetes' schemas, custom resources by their projects' schemas."""

import json
from pathlib import Path

import jsonschema
import kubernetes_validate  # type: ignore[import-untyped] # no type stubs
import pytest

from cdk.choices import NewEks
from tests.manifests.conftest import K8S, Object, render, with_components

FILE = "kustomization.yaml"
SCHEMAS = {path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "schemas").glob("*.json")}
APPLIED = sorted(
    str(path.parent.relative_to(K8S)) for folder in ("overlays", "cluster") for path in (K8S / folder).rglob(FILE)
)


def check(thing: Object) -> None:
    schema = SCHEMAS.get(f"{thing['apiVersion'].replace('/', '-')}-{thing['kind']}")
    if schema is None:
        kubernetes_validate.validate(thing, NewEks().version, strict=True)
    else:
        jsonschema.validate(thing, schema)


@pytest.mark.parametrize("folder", [each for each in APPLIED if not each.endswith("/resting")])
def test_every_object_that_is_applied(folder: str) -> None:
    objects = render(K8S / folder).objects
    assert objects
    for each in objects:
        check(each)


@pytest.mark.parametrize("stage", ["dev", "prod"])
@pytest.mark.parametrize(
    "components",
    [["keda"], ["keda", "keda/scram"], ["secrets"], ["secrets", "secrets/scram"], ["spot"], ["on-demand"], ["rest"]],
)
def test_every_object_of_a_component(components: list[str], stage: str, tmp_path: Path) -> None:
    for each in with_components(tmp_path, stage, *components).objects:
        check(each)


def test_a_misspelt_field_is_detected(tmp_path: Path) -> None:
    rendered = with_components(tmp_path, "prod", "keda")
    scaled, account = rendered.kind("ScaledObject")["worker-logins"], rendered.kind("ServiceAccount")["worker-logins"]
    with pytest.raises(jsonschema.ValidationError, match="'pollInterval' was unexpected"):
        check(scaled | {"spec": scaled["spec"] | {"pollInterval": 30}})
    with pytest.raises(kubernetes_validate.ValidationError, match="'automountToken' was unexpected"):
        check(account | {"automountToken": False})
