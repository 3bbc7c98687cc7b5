"""Pods are restricted, have limits and probes, and have time to drain."""

import pytest

from cdk import names
from functions import registry
from functions.runtimes.worker.process import LEAVE_SECONDS
from functions.settings import Settings
from tests.chaos.report import ROOM_BYTES
from tests.manifests.conftest import Object, Rendered

MIB = 2**20
IDLE_BYTES = 80 * MIB  # docs/semantics.md: 78 MiB measured
COMMAND_BYTES = 90 * MIB  # of a command such as `tandem status` in the same pod: 70 MiB measured without Kafka
ITERATION_SECONDS = 20  # of the worker's loop, running when SIGTERM arrives
SPOT_NOTICE_SECONDS = 120  # from a spot instance's notice to its end

default = {name: field.default for name, field in Settings.model_fields.items()}


@pytest.fixture(params=registry.names())
def pod(overlay: Rendered, request: pytest.FixtureRequest) -> Object:
    return overlay.pods[names.worker(request.param)]


@pytest.fixture
def container(pod: Object) -> Object:
    (only,) = pod["containers"]
    return dict(only)


def test_every_pod_of_a_stage_is_restricted(overlay: Rendered, administered: Rendered) -> None:
    """The Pod Security Standards' profile `restricted`, and a read-only root file system."""
    enforced = administered.one("Namespace")["metadata"]["labels"]
    assert {enforced[f"pod-security.kubernetes.io/{mode}"] for mode in ("enforce", "warn", "audit")} == {"restricted"}
    for pod in overlay.pods.values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not any(pod.get(host) for host in ("hostNetwork", "hostPID", "hostIPC"))
        for container in pod["containers"] + pod.get("initContainers", []):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


def test_no_pod_has_a_kubernetes_api_token(overlay: Rendered) -> None:
    assert not any(pod["automountServiceAccountToken"] for pod in overlay.pods.values())
    assert not any(kind in overlay.kind(kind) for kind in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"))


def test_the_image_is_from_the_stages_repository_and_pinned(overlay: Rendered, stage: str, container: Object) -> None:
    repository, _, tag = container["image"].partition("@" if "@" in container["image"] else ":")
    assert repository.endswith(f".amazonaws.com/{names.repository(stage)}")
    assert tag
    assert tag != "latest"


def test_the_memory_limit_suffices_for_a_full_worker(overlay: Rendered, container: Object) -> None:
    """docs/semantics.md: idle memory, 4 times the bytes in flight, the allowance of the chaos run, and one command."""
    in_flight = int(overlay.environment.get("TANDEM_BYTES_IN_FLIGHT", default["bytes_in_flight"]))
    limits, requests = container["resources"]["limits"], container["resources"]["requests"]
    assert limits["memory"] == requests["memory"]
    assert int(limits["memory"].removesuffix("Mi")) * MIB >= IDLE_BYTES + 4 * in_flight + ROOM_BYTES + COMMAND_BYTES
    assert float(limits["cpu"]) >= float(requests["cpu"])


def test_probes_call_the_worker(container: Object) -> None:
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: each["path"] for name, each in probes.items()} == {
        "startup": "/healthz",
        "liveness": "/healthz",
        "readiness": "/readyz",
    }
    assert {each["port"] for each in probes.values()} == {"http"}
    assert container["ports"] == [{"name": "http", "containerPort": default["http_port"]}]


def test_a_worker_has_time_to_drain(overlay: Rendered, pod: Object) -> None:
    drain = float(overlay.environment.get("TANDEM_DRAIN_SECONDS", default["drain_seconds"]))
    needs = drain + LEAVE_SECONDS + ITERATION_SECONDS
    assert needs < pod["terminationGracePeriodSeconds"] < SPOT_NOTICE_SECONDS


def test_it_runs_the_worker_of_the_stage(overlay: Rendered, container: Object) -> None:
    (config,) = container["envFrom"]
    assert container["args"] == ["worker"]
    assert overlay.kind("ConfigMap")[config["configMapRef"]["name"]]["data"] == overlay.environment


def test_its_variables_are_settings(overlay: Rendered, container: Object) -> None:
    known = set(map("TANDEM_{}".format, map(str.upper, Settings.model_fields)))
    assert {each["name"] for each in container["env"]} <= known
