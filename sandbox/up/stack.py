"""Everything that `tandem up` keeps running: broker, emulator, stores, the runtimes of each pipeline, control plane."""

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from boto3 import Session

from functions import registry
from functions.core import names
from functions.core.errors import Misconfigured
from functions.core.handover_ports import Runtime
from functions.core.pipeline import AnyPipeline
from functions.operate.context import OperatorContext, connect
from functions.settings import read as read_settings
from sandbox.aws import LocalAws
from sandbox.broker.broker import Broker
from sandbox.control_plane.local_worker import LocalWorker
from sandbox.control_plane.runtimes import PipelineRuntimes, Switch
from sandbox.control_plane.server import ControlPlane
from sandbox.event_source.mapping import EventSourceMapping
from sandbox.event_source.source import EventSource
from sandbox.stage import LocalStage
from sandbox.up import snapshot
from sandbox.up.prepare import prepare
from sandbox.up.state import SandboxFolder

STAGE: Final = names.SANDBOX
SETTINGS: Final = {"TANDEM_SLICE_SECONDS": "0.5"}
SESSION_SECONDS: Final = 6.0
STOP_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.2
KEY_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """A sandbox that settles. `environment`: the variables with which other commands reach it."""

    environment: Mapping[str, str]
    runtimes: Mapping[str, PipelineRuntimes]
    contexts: Mapping[str, OperatorContext]

    def restart(self) -> None:
        """Restart the enabled runtimes, which import the pipelines again."""
        for each in self.runtimes.values():
            for switch in (each.msk, each.worker):
                if switch.enabled:
                    switch.runtime.stop()
                    switch.runtime.start()

    def stop(self) -> None:
        """End what settles, in good order."""
        for each in self.runtimes.values():
            for switch in (each.msk, each.worker):
                switch.runtime.stop()


@dataclass(frozen=True)
class SandboxStack:
    """What a sandbox is made of. `runtime` is that of pipelines that were never handed over."""

    folder: SandboxFolder
    broker: Broker
    aws: LocalAws
    runtime: Runtime
    stages: dict[str, LocalStage] = field(default_factory=dict)

    @contextmanager
    def running(self) -> Iterator[RunningSandbox]:
        """Set everything up, with the stores as they were saved; at the end stop the runtimes and save the stores."""
        self.folder.logs.mkdir(parents=True, exist_ok=True)
        for name, pipeline in registry.load_all().items():
            self.stages[name] = self._stage(pipeline)
        if not self.stages:
            raise Misconfigured(registry.NONE)
        some = next(iter(self.stages.values()))
        client: Any = Session().client  # the stages have set the variables that it reads
        prepare(STAGE, some.lake, some.dead_letters, self.broker)
        snapshot.restore(client, self.folder.stores)
        with ExitStack() as stack:
            runtimes = {name: self._runtimes(stage, stack) for name, stage in self.stages.items()}
            plane = stack.enter_context(ControlPlane(STAGE, runtimes, self.folder.path))
            environment = {**_shared(some.environment), **plane.environment()}
            _publish(client, environment)
            contexts = {
                name: replace(connect(read_settings(stage.environment)), switches=runtimes[name].switches())
                for name, stage in self.stages.items()
            }
            sandbox = RunningSandbox(environment, runtimes, contexts)
            for context in contexts.values():
                match_commits(context)
            stack.callback(snapshot.save, client, self.folder.stores)
            stack.callback(sandbox.stop)
            for each in runtimes.values():
                (each.msk if each.msk.enabled else each.worker).runtime.start()
            yield sandbox

    def _stage(self, pipeline: AnyPipeline) -> LocalStage:
        return LocalStage(
            STAGE, pipeline, self.broker, self.aws, self.folder.path, SESSION_SECONDS, SETTINGS, self._mask_key()
        )

    def _mask_key(self) -> bytes:
        """Return the key of the data that is there, or a new one: masks must stay the same."""
        file = self.folder.path / "mask-key"
        return file.read_bytes() if file.exists() else secrets.token_hex(KEY_BYTES).encode()

    def _runtimes(self, stage: LocalStage, stack: ExitStack) -> PipelineRuntimes:
        name = stage.pipeline.name
        mapping = EventSourceMapping(
            stage.pipeline.topic, stage.group, self.broker.bootstrap,
            stage.function(self.folder.logs / f"{name}-msk.log"),
            session_timeout=SESSION_SECONDS, on_failure=stage.dead_letters,
        )  # fmt: skip
        msk = EventSource(mapping, stage.s3)
        worker = stack.enter_context(LocalWorker(stage.environment, self.folder.logs / f"{name}-worker.log"))
        stack.callback(msk.stop, STOP_SECONDS)
        enabled = _chosen(name) or self.runtime
        return PipelineRuntimes(
            stage.pipeline.topic, Switch(msk, enabled is Runtime.MSK), Switch(worker, enabled is Runtime.WORKER)
        )


def _chosen(pipeline: str) -> Runtime | None:
    """Return the runtime that the last handover chose."""
    ssm: Any = Session().client("ssm")
    found = ssm.get_parameters(Names=[names.runtime_parameter(STAGE, pipeline)])["Parameters"]
    return Runtime(found[0]["Value"]) if found else None


def match_commits(context: OperatorContext) -> None:
    """Set the group's commits back to the ledger, where they are beyond it.

    After a kill the stores are older than Kafka's log, and Lambda's mapping begins at the commit.
    """
    topic, brokers = context.pipeline.topic, context.brokers
    numbers = brokers.partitions(topic)
    positions, bounds = context.ledger_listing.positions(context.pipeline.name, topic), brokers.bounds(topic, numbers)
    begins = {number: positions[number].next if number in positions else bounds[number].low for number in numbers}
    ahead = [number for number, committed in brokers.committed(topic, numbers).items() if committed > begins[number]]
    if ahead:
        _wait_until_empty(context)
    for number in ahead:
        brokers.commit(topic, number, begins[number])


def _wait_until_empty(context: OperatorContext) -> None:
    """Wait for the end of the sessions of members that were killed."""
    end = time.monotonic() + 2 * SESSION_SECONDS
    while context.brokers.has_members() and time.monotonic() < end:
        time.sleep(LOOK_SECONDS)


def _shared(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables without those of one pipeline."""
    return {name: value for name, value in environment.items() if name != "TANDEM_PIPELINE"}


def _publish(client: Any, environment: Mapping[str, str]) -> None:  # noqa: ANN401 - any client of moto
    """Store the variables where cdk/runtimes/worker/stack.py does, so that `--stage sandbox` finds them."""
    lines = (f"{name}={value}" for name, value in environment.items() if name.startswith(("TANDEM_", "AWS_REGION")))
    client("ssm").put_parameter(
        Name=f"/tandem/{STAGE}/worker-env", Value="\n".join(lines), Type="String", Overwrite=True
    )
