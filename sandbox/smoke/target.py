"""The stage that a smoke run is for: its stores and brokers, by the settings and clients of the operators' verbs.

It needs nothing but what the worker's image has.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from functions.bootstrap import App
from functions.core import names
from functions.core.errors import Misconfigured
from functions.operate.context import OperatorContext, connect
from functions.settings import Settings

PIPELINE: Final = "logins"


@dataclass(frozen=True)
class Target:
    """A stage with the example pipeline. Misconfigured for any other one."""

    settings: Settings
    app: App = field(init=False)
    context: OperatorContext = field(init=False)

    def __post_init__(self) -> None:
        if self.settings.pipeline != PIPELINE:
            raise Misconfigured(
                f"TANDEM_PIPELINE: expected {PIPELINE}, whose records are known, got {self.settings.pipeline!r}"
            )
        object.__setattr__(self, "app", App(self.settings.for_operators()))
        object.__setattr__(self, "context", connect(self.settings))

    @property
    def kafka(self) -> Mapping[str, Any]:
        """The settings of Kafka clients."""
        return {**self.app.kafka, "log_level": 0}

    @property
    def group(self) -> str:
        """The consumer group that readers may name; nothing joins it."""
        return names.consumer_group(self.settings.stage, PIPELINE)

    @property
    def source(self) -> str:
        """The topic that the pipeline reads."""
        return self.app.pipeline.topic

    @property
    def output(self) -> str:
        """The topic that the pipeline writes."""
        (topic,) = self.app.pipeline.topics
        return topic.name

    @property
    def table(self) -> str:
        """The table of the newest logins."""
        (sink,) = self.app.pipeline.tables
        return names.rows_table(self.settings.stage, sink.name)

    @property
    def counters(self) -> str:
        """The table of the counters."""
        return names.counters_table(self.settings.stage)

    @property
    def counter(self) -> str:
        """The name of the counter."""
        (sink,) = self.app.pipeline.counters
        return sink.name
