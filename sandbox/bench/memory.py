"""The app on in-memory stores, so that the benchmark measures Tandem and not an emulator."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, cast

from functions import registry
from functions.adapters.memory import memory_stores
from functions.bootstrap import App, now
from functions.core.pipeline import AnyPipeline
from functions.settings import Settings

KEY: Final = b"a key for the benchmark"
PIPELINE: Final = "logins"
TWIN: Final = "sandbox.bench.logins_msgspec"


@dataclass(frozen=True)
class BenchApp(App):
    """An app whose pipeline reads `topic`. `models` are pydantic's, or those of the twin in msgspec."""

    topic: str | None = None
    models: str = "pydantic"

    @cached_property
    def pipeline(self) -> AnyPipeline:
        """The declaration of the logins, with another topic and without a flood limit."""
        declared = super().pipeline
        if self.models == "msgspec":
            declared = replace(cast("AnyPipeline", import_module(TWIN).PIPELINE), limits=declared.limits)
        return replace(declared, topic=self.topic or declared.topic)


@contextmanager
def memory_app(bootstrap: str, stage: str, topic: str | None = None, models: str = "pydantic") -> Iterator[BenchApp]:
    """A worker's app. Every effect of the pipeline happens, in empty in-memory stores."""
    with TemporaryDirectory() as folder:
        key = Path(folder) / "mask-key"
        key.write_bytes(KEY)
        chosen = settings(bootstrap, stage).model_copy(
            update={"mask_key_from": f"file:{key}", "slice_seconds": 0.2, "flood_ratio": 1.0}
        )
        yield BenchApp(chosen, memory_stores(registry.load(PIPELINE), now), topic, models)


def settings(bootstrap: str, stage: str) -> Settings:
    """A worker's settings; nothing reads the buckets."""
    return Settings(
        stage=stage,
        pipeline=PIPELINE,
        lake_bucket="unused",
        dead_letter_bucket="unused",
        mask_key_from="file:/unused",
        bootstrap_servers=bootstrap,
        kafka_auth="plaintext",
        http_host="127.0.0.1",
        http_port=0,
        log_level="ERROR",
    )
