"""A stage on this machine for a smoke run: Lambda's event source runs at first, and a worker takes over.

Its variables are where a deployed stage publishes them, so a run finds it by its name.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from boto3 import Session

from functions.core.errors import Unavailable
from sandbox.aws import LocalAws
from sandbox.broker.broker import Broker
from sandbox.event_source.mapping import EventSourceMapping
from sandbox.event_source.source import EventSource
from sandbox.local_stack import LocalStack, local_stack
from sandbox.worker import WorkerProcess

SETTINGS: Final = {"TANDEM_SLICE_SECONDS": "0.5"}
SESSION_SECONDS: Final = 6.0
READY_SECONDS: Final = 120.0
STOP_SECONDS: Final = 10.0
BATCH_RECORDS: Final = 100


@dataclass(frozen=True)
class LocalSmokeStage:
    """A stage that settles. `environment` has the credentials and the region, but nothing of the stage."""

    stack: LocalStack
    msk: EventSource
    environment: dict[str, str]
    hand_over: Callable[[], None]


@contextmanager
def local_smoke_stage(broker: Broker, aws: LocalAws, folder: Path) -> Iterator[LocalSmokeStage]:
    """Set it up, with logs in `folder`; everything is stopped and deleted at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    with local_stack(f"smoke{secrets.token_hex(4)}", broker, aws, SESSION_SECONDS, SETTINGS) as stack:
        stage = stack.stage
        _publish(stage.name, stage.environment)
        msk = EventSource(
            EventSourceMapping(
                stage.pipeline.topic, stage.group, broker.bootstrap, stage.function(folder / "msk.log"),
                batch_size=BATCH_RECORDS, session_timeout=SESSION_SECONDS,
            )
        )  # fmt: skip
        with ExitStack() as running:
            running.callback(msk.stop, STOP_SECONDS)
            msk.start()
            if not msk.wait_ready(READY_SECONDS):
                raise Unavailable(f"the event source got no partitions within {READY_SECONDS:g} s")

            def hand_over() -> None:
                msk.stop()
                running.enter_context(WorkerProcess(stage.environment, folder / "worker.log"))

            yield LocalSmokeStage(stack, msk, aws.environment(), hand_over)


def _publish(stage: str, environment: dict[str, str]) -> None:
    """Store the variables where cdk/runtimes/worker/stack.py does."""
    lines = (f"{name}={value}" for name, value in environment.items() if name.startswith(("TANDEM_", "AWS_REGION")))
    ssm: Any = Session().client("ssm")
    ssm.put_parameter(Name=f"/tandem/{stage}/worker-env", Value="\n".join(lines), Type="String", Overwrite=True)
