"""What the story is played on: a stage of its own on a broker and an AWS emulator, and its topics."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from functions import registry
from functions.core.errors import Misconfigured
from functions.local.aws import LocalAws
from functions.local.broker.broker import Broker, Unavailable
from functions.local.broker.choose import choose
from functions.local.demo.topics import Topics
from functions.local.stage import Stage

PIPELINE: Final = "logins"
SLICE_SECONDS: Final = "1"  # a deployed worker's 5 would leave it killed before it had settled anything


@dataclass(frozen=True, slots=True)
class Ground:
    """Lives as long as the `with` of whoever asked for it."""

    stage: Stage
    topics: Topics


@contextmanager
def set_up(choice: str, *, flood_ratio: float | None, say: Callable[[str], None]) -> Iterator[Ground]:
    """Everything ends with it, however that comes about. `say` is told what takes long. Misconfigured without a broker.

    Broker `choice` is auto, apache, embedded or HOST:PORT; `flood_ratio` None leaves the pipeline's own.
    """
    pipeline = registry.load(PIPELINE)
    settings = {"TANDEM_SLICE_SECONDS": SLICE_SECONDS}
    if flood_ratio is not None:
        settings["TANDEM_FLOOD_RATIO"] = str(flood_ratio)
    with (
        _broker(choice, say) as broker,
        Topics(broker, pipeline.topic, pipeline.topics[0].name) as topics,
        LocalAws() as aws,
        TemporaryDirectory(prefix="tandem-demo-") as folder,
    ):
        name = f"demo-{secrets.token_hex(4)}"  # a group of its own, also on a broker that others use
        session = 6 if broker.kind == "external" else 3  # seconds: brokers take no less than 6, ours do
        yield Ground(Stage(name, pipeline, broker, aws, Path(folder), session, settings), topics)


def _broker(choice: str, say: Callable[[str], None]) -> Broker:
    try:
        return choose(choice, say)
    except Unavailable as error:
        raise Misconfigured(str(error)) from None
