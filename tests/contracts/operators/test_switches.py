"""Both switches, their claims and the choice: the twins, and the real ones on an emulator and a control plane."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from functions.adapters.aws import Aws
from functions.adapters.handover_records import DynamoHandoverClaims, ParameterChoice
from functions.adapters.mapping_switch import MappingSwitch
from functions.adapters.memory_handover import MemoryChoice, MemoryHandoverClaims, MemorySwitch
from functions.adapters.worker_switch import AUTOSCALER, PAUSED, SCALED_OBJECT, WorkerSwitch
from functions.core import names
from functions.core.errors import Corrupt, Refused, Unavailable
from functions.core.handover_ports import (
    HandoverClaim,
    HandoverClaims,
    Runtime,
    RuntimeChoice,
    RuntimeSwitch,
    SwitchStatus,
)
from sandbox.control_plane.runtimes import PipelineRuntimes, Switch
from sandbox.control_plane.server import ControlPlane
from tests.contracts.conftest import STAGE

kubernetes_api = pytest.importorskip("functions.adapters.kubernetes_api")
PIPELINE, TOPIC = "logins", "user-login"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
CLAIM = HandoverClaim(Runtime.WORKER, "one", NOW)


@dataclass
class Recorded:
    """A runtime that only records whether it runs."""

    running: bool = False

    def start(self) -> None:
        self.running = True

    def stop(self) -> None:
        self.running = False


@dataclass(frozen=True)
class Plane:
    server: ControlPlane
    msk: Switch
    worker: Switch

    def switches(self, pipeline: str = PIPELINE) -> dict[Runtime, RuntimeSwitch]:
        """The real adapters, by clients that are led to the control plane."""
        from kubernetes import client  # noqa: PLC0415 - 75 MB, which only these tests load

        lambda_ = boto3.client(
            "lambda", region_name="us-east-1", endpoint_url=self.server.address, aws_access_key_id="a",
            aws_secret_access_key="b",
        )  # fmt: skip
        api = client.CustomObjectsApi(client.ApiClient(client.Configuration(host=self.server.address)))
        objects = kubernetes_api.KubernetesObjects(api, names.namespace("test"))
        return {
            Runtime.MSK: MappingSwitch(lambda: lambda_, f"{names.function('test', pipeline)}:{names.LIVE}", TOPIC),
            Runtime.WORKER: WorkerSwitch(lambda: objects, names.worker(pipeline)),
        }


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[Plane]:
    msk, worker = Switch(Recorded(running=True), enabled=True), Switch(Recorded(), enabled=False)
    with ControlPlane("test", {PIPELINE: PipelineRuntimes(TOPIC, msk, worker)}, tmp_path) as server:
        yield Plane(server, msk, worker)


@pytest.fixture(params=["memory", "msk", "worker"])
def switch(request: pytest.FixtureRequest) -> Callable[[str], RuntimeSwitch]:
    """A function that returns a switch of something that exists, or of nothing."""

    def made(presence: str) -> RuntimeSwitch:
        exists = presence == "exists"
        if request.param == "memory":
            return MemorySwitch(exists=exists)
        plane: Plane = request.getfixturevalue("plane")
        return plane.switches(PIPELINE if exists else "other")[Runtime(request.param)]

    return made


def wait_for(switch: RuntimeSwitch, status: SwitchStatus) -> None:
    end = time.monotonic() + 60
    while switch.state().status is not status:
        assert time.monotonic() < end, switch.state()
        time.sleep(0.01)


def test_a_switch_enables_and_disables_again_and_again(switch: Callable[[str], RuntimeSwitch]) -> None:
    runtime = switch("exists")
    for _ in range(2):
        runtime.enable()
        wait_for(runtime, SwitchStatus.ENABLED)
        runtime.enable()
        assert runtime.state().status is SwitchStatus.ENABLED
        runtime.disable()
        wait_for(runtime, SwitchStatus.DISABLED)
        runtime.disable()
        assert runtime.state().status is SwitchStatus.DISABLED
    assert runtime.state().detail


def test_a_switch_of_nothing_says_so_and_refuses(switch: Callable[[str], RuntimeSwitch]) -> None:
    runtime = switch("is missing")
    assert runtime.state().status is SwitchStatus.MISSING
    with pytest.raises(Refused):
        runtime.enable()
    with pytest.raises(Refused):
        runtime.disable()


def test_a_mapping_that_is_being_changed_is_unavailable(plane: Plane) -> None:
    switch = plane.switches()[Runtime.MSK]
    plane.msk.busy = True
    assert switch.state().status is SwitchStatus.CHANGING
    with pytest.raises(Unavailable, match="another change is under way"):
        switch.disable()


def test_workers_begin_with_the_minimum_of_their_autoscaler(plane: Plane) -> None:
    objects = plane.server.kubernetes.objects
    objects["/".join(AUTOSCALER), names.worker(PIPELINE)] = {"spec": {"minReplicas": 3}}
    switch = plane.switches()[Runtime.WORKER]
    switch.enable()
    wait_for(switch, SwitchStatus.ENABLED)
    assert switch.state().detail == "3 of 3 pods ready"


def test_keda_is_paused_while_workers_are_disabled(plane: Plane) -> None:
    objects, key = plane.server.kubernetes.objects, ("/".join(SCALED_OBJECT), names.worker(PIPELINE))
    objects[key] = {"metadata": {"annotations": {PAUSED: "0", "other": "stays"}}, "spec": {"minReplicaCount": 2}}
    switch = plane.switches()[Runtime.WORKER]
    switch.enable()
    wait_for(switch, SwitchStatus.ENABLED)
    assert objects[key]["metadata"]["annotations"] == {"other": "stays"}
    assert switch.state().detail == "2 of 2 pods ready"
    switch.disable()
    wait_for(switch, SwitchStatus.DISABLED)
    assert objects[key]["metadata"]["annotations"] == {PAUSED: "0", "other": "stays"}


def test_workers_that_run_already_are_not_scaled_down(plane: Plane) -> None:
    switch = plane.switches()[Runtime.WORKER]
    plane.server.kubernetes.objects["apps/v1/deployments", names.worker(PIPELINE)]["spec"]["replicas"] = 7
    switch.enable()
    assert plane.server.kubernetes.objects["apps/v1/deployments", names.worker(PIPELINE)]["spec"]["replicas"] == 7


def test_a_cluster_that_is_away_is_unavailable(plane: Plane) -> None:
    switches = plane.switches()
    plane.server.__exit__()
    with pytest.raises(Unavailable, match="Kubernetes does not answer"):
        switches[Runtime.WORKER].state()


@pytest.fixture(params=["memory", "aws"])
def claims(request: pytest.FixtureRequest, clients: Callable[[], Aws], name: str) -> HandoverClaims:
    if request.param == "memory":
        return MemoryHandoverClaims()
    return DynamoHandoverClaims(clients().dynamodb, names.ledger_table(STAGE), name)


def test_one_of_two_runs_gets_the_claim(claims: HandoverClaims) -> None:
    other = replace_owner(CLAIM, "two")
    assert claims.read() is None
    assert claims.put(CLAIM, None)
    assert not claims.put(other, None)
    assert claims.read() == CLAIM


def test_a_claim_is_renewed_and_taken_over_only_as_it_was_seen(claims: HandoverClaims) -> None:
    renewed, other = CLAIM._replace(seen_at=NOW + timedelta(seconds=1)), replace_owner(CLAIM, "two")
    assert claims.put(CLAIM, None)
    assert claims.put(renewed, CLAIM)
    assert claims.put(renewed, CLAIM), "a repeated write"
    assert not claims.put(other, CLAIM)
    assert not claims.remove(CLAIM)
    assert claims.put(other, renewed)
    assert claims.remove(other)
    assert claims.read() is None


def replace_owner(claim: HandoverClaim, owner: str) -> HandoverClaim:
    return claim._replace(owner=owner)


@pytest.fixture(params=["memory", "aws"])
def choice(request: pytest.FixtureRequest, clients: Callable[[], Aws], name: str) -> RuntimeChoice:
    if request.param == "memory":
        return MemoryChoice()
    aws = clients()
    return ParameterChoice(lambda: aws.ssm, names.runtime_parameter(STAGE, name))


def test_the_last_choice_is_read(choice: RuntimeChoice) -> None:
    assert choice.read() is None
    choice.write(Runtime.WORKER)
    choice.write(Runtime.MSK)
    assert choice.read() is Runtime.MSK


def test_a_choice_that_is_no_runtime_is_corrupt(clients: Callable[[], Aws], name: str) -> None:
    ssm, parameter = clients().ssm, names.runtime_parameter(STAGE, name)
    ssm.put_parameter(Name=parameter, Value="both", Type="String")
    with pytest.raises(Corrupt, match="expected msk or worker, got 'both'"):
        ParameterChoice(lambda: ssm, parameter).read()
