"""What runs: restricted, bounded, probed, and ended in good order."""

import pytest

from functions import registry
from functions.core import names
from functions.runtimes.worker.process import LEAVE_SECONDS
from functions.settings import Settings
from tests.chaos.report import ROOM_BYTES
from tests.manifests.conftest import Object, Rendered

MIB = 2**20
IDLE_BYTES = 80 * MIB  # docs/semantics.md: 78 was seen
VERB_BYTES = 90 * MIB  # of `tandem status` and its like in the same pod: 70 was seen without Kafka
TURN_SECONDS = 20  # a turn of the loop that is under way when SIGTERM comes
SPOT_SECONDS = 120  # between a spot instance's notice and its end

default = {name: field.default for name, field in Settings.model_fields.items()}


@pytest.fixture(params=registry.names())
def pod(overlay: Rendered, request: pytest.FixtureRequest) -> Object:
    return overlay.pods[names.worker(request.param)]


@pytest.fixture
def container(pod: Object) -> Object:
    (only,) = pod["containers"]
    return dict(only)


def test_every_pod_of_a_stage_is_restricted(overlay: Rendered) -> None:
    """The Pod Security Standards' profile `restricted`, and a root file system that nobody writes."""
    enforced = overlay.one("Namespace")["metadata"]["labels"]
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


def test_no_token_of_the_kubernetes_api(overlay: Rendered) -> None:
    assert not any(pod["automountServiceAccountToken"] for pod in overlay.pods.values())
    assert not any(kind in overlay.kind(kind) for kind in ("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"))


def test_the_image_is_the_stages_and_says_which(overlay: Rendered, stage: str, container: Object) -> None:
    repository, _, tag = container["image"].partition("@" if "@" in container["image"] else ":")
    assert repository.endswith(f".amazonaws.com/{names.repository(stage)}")
    assert tag
    assert tag != "latest"


def test_memory_holds_what_a_worker_may_take(overlay: Rendered, container: Object) -> None:
    """docs/semantics.md: idle, 4 times the bytes in flight, and the room that the chaos run allows; and a verb."""
    in_flight = int(overlay.environment.get("TANDEM_BYTES_IN_FLIGHT", default["bytes_in_flight"]))
    limits, requests = container["resources"]["limits"], container["resources"]["requests"]
    assert limits["memory"] == requests["memory"]
    assert int(limits["memory"].removesuffix("Mi")) * MIB >= IDLE_BYTES + 4 * in_flight + ROOM_BYTES + VERB_BYTES
    assert float(limits["cpu"]) >= float(requests["cpu"])


def test_probes_ask_the_worker(container: Object) -> None:
    asked = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
    assert {name: each["path"] for name, each in asked.items()} == {
        "startup": "/healthz",
        "liveness": "/healthz",
        "readiness": "/readyz",
    }
    assert {each["port"] for each in asked.values()} == {"http"}
    assert container["ports"] == [{"name": "http", "containerPort": default["http_port"]}]


def test_a_worker_has_time_to_drain(overlay: Rendered, pod: Object) -> None:
    drain = float(overlay.environment.get("TANDEM_DRAIN_SECONDS", default["drain_seconds"]))
    needs = drain + LEAVE_SECONDS + TURN_SECONDS
    assert needs < pod["terminationGracePeriodSeconds"] < SPOT_SECONDS


def test_it_runs_the_worker_of_the_stage(overlay: Rendered, container: Object) -> None:
    (config,) = container["envFrom"]
    assert container["args"] == ["worker"]
    assert overlay.kind("ConfigMap")[config["configMapRef"]["name"]]["data"] == overlay.environment


def test_its_variables_are_settings(overlay: Rendered, container: Object) -> None:
    known = set(map("TANDEM_{}".format, map(str.upper, Settings.model_fields)))
    assert {each["name"] for each in container["env"]} <= known
