"""Update tests/manifests/schemas: `python -m tests.manifests.renew`. It needs Go and its module proxy; tests don't.

Each file holds the OpenAPI schema of one custom resource, as its project publishes it (all are Apache-2.0), without
descriptions and without unknown fields, which `kubectl apply` rejects.
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
        write(name, schema)
    write("keda-kafka-trigger.json", kafka_trigger())


def write(name: str, schema: dict[str, Any]) -> None:
    """Write a schema on one line."""
    (SCHEMAS / name).write_text(json.dumps(schema, sort_keys=True, separators=(",", ":")) + "\n")


def kafka_trigger() -> dict[str, Any]:
    """The metadata of KEDA's Kafka trigger. The schema of a ScaledObject accepts any."""
    path = "schema/generated/scalers-schema.json"
    scalers = json.loads((fetch(KEDA) / path).read_text())["scalers"]
    (kafka,) = [each for each in scalers if each["type"] == "kafka"]
    properties = {
        each["name"]: {"type": "string"} | ({"enum": each["allowedValue"]} if each.get("allowedValue") else {})
        for each in kafka["parameters"]
    }
    return {"$comment": f"{KEDA}/{path}", "type": "object", "additionalProperties": False, "properties": properties}


def fetch(module: str) -> Path:
    """The folder of a Go module, downloaded and verified by Go."""
    output = subprocess.run(["go", "mod", "download", "-json", module], check=True, capture_output=True, text=True)
    return Path(json.loads(output.stdout)["Dir"])


def strict(schema: Any) -> Any:
    """Convert to JSON Schema: no descriptions, no unknown fields, and numbers where the API accepts both types."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    converted = {
        key: strict(value)
        for key, value in schema.items()
        if not (key == "description" and isinstance(value, str)) and not key.startswith("x-kubernetes-valid")
    }
    if (
        converted.get("type") == "object"
        and "properties" in converted
        and not converted.get("x-kubernetes-preserve-unknown-fields")
    ):
        converted.setdefault("additionalProperties", False)
    if isinstance(converted.get("pattern"), str) and "(?i)" in converted["pattern"]:
        converted["pattern"] = "(?i)" + converted["pattern"].replace("(?i)", "")  # Go allows flags anywhere
    if converted.pop("nullable", False):
        converted["type"] = [converted["type"], "null"]
    return converted


def only_aws(schema: dict[str, Any]) -> None:
    """Remove the other vendors of an External Secrets store: half a megabyte of schema."""
    provider = schema["properties"]["spec"]["properties"]["provider"]
    provider["properties"] = {"aws": provider["properties"]["aws"]}


if __name__ == "__main__":
    main()
