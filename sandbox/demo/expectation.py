"""What any pipeline should have stored: the same records settled once more, in order, by one process without faults.

Law: nothing of the run's stores is used, and nothing of the runtimes. The stores are of another stage on the emulator,
so both are read in the same way; messages of output topics stay in memory.
"""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from functions.adapters.encoded_topic import topic_writer
from functions.adapters.memory import MemoryTopic
from functions.bootstrap import App
from functions.core.effects import Message
from functions.core.pipeline import AnyPipeline
from functions.core.slice import Slice
from functions.settings import read as read_settings
from sandbox.demo.records import Produced
from sandbox.stage import LocalStage

SETTLERS: Final = 4


@dataclass(frozen=True, slots=True)
class Expectation:
    """The stage that holds what is expected, and the messages of each output topic."""

    stage: LocalStage
    messages: dict[str, list[Message]]


def settle_again(stage: LocalStage, produced: Produced, folder: Path) -> Expectation:
    """Settle what was produced in a stage of its own. Each record has a timestamp."""
    name = f"{stage.name}x"
    again = LocalStage(
        name, stage.pipeline, stage.broker, stage.aws, folder, stage.session_seconds, stage.settings, stage.mask_key
    )
    app = App(read_settings(again.environment))
    topics = {sink.name: MemoryTopic() for sink in app.pipeline.topics}
    stores = app.settler.stores
    writers = {
        sink.name: topic_writer(topics[sink.name], sink, app.pipeline, stores.schemas) for sink in app.pipeline.topics
    }
    settler = App(app.settings, replace(stores, topics=writers)).settler
    with ThreadPoolExecutor(SETTLERS) as threads:
        for settled in [threads.submit(settler.settle, slice_) for slice_ in _slices(app.pipeline, produced)]:
            settled.result()
    return Expectation(again, {name: topic.messages for name, topic in topics.items()})


def _slices(pipeline: AnyPipeline, produced: Produced) -> list[Slice]:
    """Return a slice for each partition."""
    partitions: dict[int, list[int]] = defaultdict(list)
    for partition, offset in sorted(produced):
        partitions[partition].append(offset)
    slices = []
    for partition, offsets in partitions.items():
        records = [produced[partition, offset] for offset in offsets]
        slices.append(
            Slice(
                pipeline.topic,
                partition,
                offsets[0],
                offsets[-1],
                offsets,
                [each.timestamp or 0 for each in records],
                [each.key for each in records],
                [each.value for each in records],
                [each.headers for each in records],
            )
        )
    return slices
