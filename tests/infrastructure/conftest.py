"""The synthesised templates of both stages, created once in each process of the test run.

They have the reference pipeline only, so another pipeline changes no test here. test_one_runtime.py covers all.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cdk import node
from functions import registry
from functions.adapters.topic import PRODUCER
from functions.core.pipeline import AnyPipeline

node.use()

ROOT = Path(__file__).parents[2]
REFERENCE: Mapping[str, AnyPipeline] = {"logins": registry.load("logins")}
WHOLE = json.loads((ROOT / "cdk.json").read_text())["context"]


@pytest.fixture(scope="package", autouse=True)
def _quiet_producers() -> Iterator[None]:
    """A producer of this process can outlive its broker, and would log that into whatever test runs then."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRODUCER, "log_level", 0)
        yield


def _only_reference(stage: Mapping[str, Any]) -> dict[str, Any]:
    runs = stage.get("pipelines", {})
    return {**stage, "pipelines": {name: run for name, run in runs.items() if name in REFERENCE}}


CONTEXT = WHOLE | {"stages": {name: _only_reference(stage) for name, stage in WHOLE["stages"].items()}}
UNCHECKED = {"aws:cdk:bundling-stacks": [], "@aws-cdk/core:validateAgainstDefaultRules": False}
HASH = 8  # characters that CDK adds to a stack's ID
PLACE: dict[str, Any] = {"region": "us-east-1", "zones": ["us-east-1a", "us-east-1b", "us-east-1c"]}
PROVISIONED = {"logins": {"runtime": "msk", "pollers": {"min": 1, "max": 2}}}
ALTERNATIVES: dict[str, dict[str, Any]] = {  # choices that cdk.json's stages do not use
    "burst": PLACE | {"kafka": {"kind": "serverless"}},
    "express": PLACE
    | {"kafka": {"kind": "express"}, "network": {"kind": "new", "nat": "one"}, "eks": {"kind": "none"}},
    "iam": PLACE | {"kafka": {"kind": "standard", "brokers_per_zone": 2}, "pipelines": PROVISIONED},
    "scram": PLACE | {"kafka": {"kind": "standard"}, "kafka_auth": "scram", "protected": True},
    "lean": PLACE
    | {"network": {"kind": "new", "cidr": "10.4.0.0/20"}, "eks": {"kind": "none"}, "pipelines": PROVISIONED},
    "given": PLACE
    | {
        "account": "111122223333",
        "network": {
            "kind": "existing",
            "vpc": "vpc-0a1b2c3d",
            "subnets": ["subnet-0000000a", "subnet-0000000b", "subnet-0000000c"],
        },
        "kafka": {
            "kind": "existing",
            "arn": "arn:aws:kafka:us-east-1:111122223333:cluster/shared/0a1b2c3d-1",
            "security_group": "sg-0b0c0d0e",
            "bootstrap_servers": "b-1.shared:9096,b-2.shared:9096",
            "scram_secret": "arn:aws:secretsmanager:us-east-1:111122223333:secret:AmazonMSK_shared-AbCdEf",
            "scram_key": "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-0000-4444-8888-0123456789ab",
        },
        "kafka_auth": "scram",
        "eks": {"kind": "existing", "name": "shared", "security_group": "sg-0e0f0a0b"},
        "github": {
            "repository": "acme/tandem",
            "environment": "given",
            "provider_arn": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
        },
        "key": "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-0000-4444-8888-ffffffffffff",
        "alarm_topic": "arn:aws:sns:us-east-1:111122223333:on-call",
        "bootstrap_qualifier": "given",
        "permissions_boundary": "arn:aws:iam::111122223333:policy/boundary",
    },
}


@dataclass(frozen=True)
class Templates:
    """Templates by stage and stack, such as ("prod", "kafka"), as plain data."""

    by_stack: Mapping[tuple[str, str], dict[str, Any]]

    def __getitem__(self, stack: tuple[str, str]) -> dict[str, Any]:
        return self.by_stack[stack]

    def resources(self, stage: str, stack: str, kind: str) -> dict[str, dict[str, Any]]:
        """The resources of a type, such as AWS::S3::Bucket, by logical ID."""
        found = self[stage, stack].get("Resources", {})
        return {name: resource for name, resource in found.items() if resource["Type"] == kind}

    def one(self, stage: str, stack: str, kind: str) -> dict[str, Any]:
        """The properties of the only resource of that type."""
        (only,) = self.resources(stage, stack, kind).values()
        return dict(only["Properties"])

    def parameters(self, stage: str, stack: str) -> dict[str, Any]:
        """The SSM parameters that a stack publishes: values by full name."""
        found = self.resources(stage, stack, "AWS::SSM::Parameter").values()
        return {resource["Properties"]["Name"]: resource["Properties"]["Value"] for resource in found}


def synthesise(
    out: Path,
    stages: Mapping[str, Any] | None = None,
    pipelines: Mapping[str, AnyPipeline] = REFERENCE,
    flags: Mapping[str, object] | None = None,
) -> Templates:
    """Synthesise stages, by default those of cdk.json, without the zip and without the checks.

    `flags` are values of the context that differ from those of cdk.json.
    """
    from cdk import synthesis  # noqa: PLC0415 - importing it starts Node

    context = CONTEXT | UNCHECKED | {"stages": stages or CONTEXT["stages"]} | (flags or {})
    synthesis.app(context, str(out), checked=False, pipelines=pipelines).synth()
    found = {}
    for path in out.glob("assembly-*/*.template.json"):
        name = path.parent.name.removeprefix("assembly-")
        stack = path.name.removesuffix(".template.json").removeprefix(name)[:-HASH].lower()
        found[name, stack] = json.loads(path.read_text())
    return Templates(found)


@pytest.fixture(scope="session")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cloud assembly of cdk.json's stages."""
    return tmp_path_factory.mktemp("cdk")


@pytest.fixture(scope="session")
def templates(out: Path) -> Templates:
    """The templates of cdk.json's stages."""
    return synthesise(out)


@pytest.fixture(scope="session")
def alternatives(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The templates of ALTERNATIVES."""
    return synthesise(tmp_path_factory.mktemp("alternatives"), ALTERNATIVES)


@pytest.fixture(scope="session")
def every(templates: Templates, alternatives: Templates) -> Templates:
    """The templates of cdk.json's stages and of ALTERNATIVES."""
    return Templates({**templates.by_stack, **alternatives.by_stack})
