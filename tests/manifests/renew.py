"""Renew tests/manifests/schemas: `python -m tests.manifests.renew`. Needs Go and its module proxy; tests need neither.

Each file holds the OpenAPI schema of one custom resource, as its project publishes it (all are Apache-2.0), without
descriptions and with unknown fields refused, as `kubectl apply` refuses them.
"""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import yaml

SCHEMAS: Final = Path(__file__).parent / "schemas"
KEDA: Final = "github.com/kedacore/keda/v2@v2.21.0"
EXTERNAL_SECRETS: Final = "github.com/external-secrets/external-secrets@v1.3.2"
PROMETHEUS: Final = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
KARPENTER: Final = "sigs.k8s.io/karpenter@v1.8.0"
SOURCES: Final = (
    (KEDA, "config/crd/bases/keda.sh_scaledobjects.yaml"),
    (KEDA, "config/crd/bases/keda.sh_triggerauthentications.yaml"),
    (EXTERNAL_SECRETS, "config/crds/bases/external-secrets.io_externalsecrets.yaml"),
    (EXTERNAL_SECRETS, "config/crds/bases/external-secrets.io_secretstores.yaml"),
    (PROMETHEUS, "example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml"),
    (PROMETHEUS, "example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml"),
    (KARPENTER, "pkg/apis/crds/karpenter.sh_nodepools.yaml"),
)


def main() -> None:
    """Write a file for each resource, named like `keda.sh-v1alpha1-ScaledObject.json`."""
    for module, path in SOURCES:
        spec = yaml.safe_load((fetch(module) / path).read_text())["spec"]
        (version,) = [each for each in spec["versions"] if each["storage"]]
        schema = strict(version["schema"]["openAPIV3Schema"]) | {"$comment": f"{module}/{path}"}
        if spec["names"]["kind"] == "SecretStore":
            only_aws(schema)
        name = f"{spec['group']}-{version['name']}-{spec['names']['kind']}.json"
        (SCHEMAS / name).write_text(json.dumps(schema, sort_keys=True, separators=(",", ":")) + "\n")


def fetch(module: str) -> Path:
    """The folder of a Go module, fetched and verified by Go."""
    said = subprocess.run(["go", "mod", "download", "-json", module], check=True, capture_output=True, text=True)
    return Path(json.loads(said.stdout)["Dir"])


def strict(schema: Any) -> Any:
    """As JSON Schema: no descriptions, no unknown fields, and numbers where the API takes either."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    told = {
        key: strict(value)
        for key, value in schema.items()
        if not (key == "description" and isinstance(value, str)) and not key.startswith("x-kubernetes-valid")
    }
    if told.get("type") == "object" and "properties" in told and not told.get("x-kubernetes-preserve-unknown-fields"):
        told.setdefault("additionalProperties", False)
    if isinstance(told.get("pattern"), str) and "(?i)" in told["pattern"]:
        told["pattern"] = "(?i)" + told["pattern"].replace("(?i)", "")  # Go takes flags anywhere
    if told.pop("nullable", False):
        told["type"] = [told["type"], "null"]
    return told


def only_aws(schema: dict[str, Any]) -> None:
    """A store of External Secrets takes dozens of vendors: half a megabyte of them are not ours."""
    provider = schema["properties"]["spec"]["properties"]["provider"]
    provider["properties"] = {"aws": provider["properties"]["aws"]}


if __name__ == "__main__":
    main()
