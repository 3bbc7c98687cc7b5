"""The set-up of the demo and of chaos runs: a stage's stores and topics on a broker and an AWS emulator."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from functions import registry
from sandbox.aws import LocalAws
from sandbox.broker.broker import Broker
from sandbox.stage import LocalStage
from sandbox.topics import PipelineTopics

PIPELINE: Final = "logins"


@dataclass(frozen=True, slots=True)
class LocalStack:
    """Exists as long as the `with` block that set it up."""

    stage: LocalStage
    topics: PipelineTopics


@contextmanager
def local_stack(  # noqa: PLR0913, PLR0917 - what a stack is made of
    name: str,
    broker: Broker,
    aws: LocalAws,
    session_seconds: float,
    settings: Mapping[str, str],
    declared: str = PIPELINE,
) -> Iterator[LocalStack]:
    """Create the stores and topics of a stage called `name`, for one pipeline; they are deleted at the end.

    `session_seconds` is the group's session timeout; `settings` are further variables of both runtimes. Misconfigured
    if a broker that is not ours has one of the topics.
    """
    pipeline = registry.load(declared)
    with (
        PipelineTopics(broker, pipeline.topic, [sink.name for sink in pipeline.topics]) as topics,
        TemporaryDirectory(prefix=f"tandem-{name}-") as folder,
    ):
        yield LocalStack(LocalStage(name, pipeline, broker, aws, Path(folder), session_seconds, settings), topics)
