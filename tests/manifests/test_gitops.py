"""docs/gitops.md's examples name existing folders and prune, and its Helm values come from stage.env unchanged."""

import json
import re
import subprocess

import pytest
import yaml

from cdk import names
from tests.manifests.conftest import K8S, ROOT, STAGES

TEXT = (ROOT / "docs/gitops.md").read_text()
EXAMPLES = [each for block in re.findall(r"```yaml\n(.+?)```", TEXT, re.DOTALL) for each in yaml.safe_load_all(block)]


def test_the_examples_apply_an_overlay_and_prune() -> None:
    by_kind = {each["kind"]: each["spec"] for each in EXAMPLES}
    argo, flux = by_kind["Application"], by_kind["Kustomization"]
    for path in (argo["source"]["path"], flux["path"]):
        assert (ROOT / path / "kustomization.yaml").exists()
    assert argo["destination"]["namespace"] == names.namespace("prod")
    assert argo["syncPolicy"]["automated"]["prune"] is True is flux["prune"]
    assert argo["source"]["targetRevision"] == by_kind["GitRepository"]["ref"]["branch"]
    assert f"HEAD:{argo['source']['targetRevision'].removesuffix('prod')}$STAGE" in TEXT


@pytest.mark.parametrize("stage", STAGES)
def test_the_commands_for_helm_convert_the_stages_values(stage: str) -> None:
    (function,) = re.findall(r"^values\(\) .+$", TEXT, re.MULTILINE)
    env = (K8S / "overlays" / stage / "stage.env").read_text()
    done = subprocess.run(["bash", "-c", f"{function}; values"], input=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"stage": dict(line.split("=", 1) for line in env.splitlines())}
