"""Makes the sinks of the user's own from their descriptors, by the adapters that they name."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module

from functions.core.errors import InvalidPipeline
from functions.core.ports import RowSink, SinkContext
from functions.core.sinks import CustomSink


@dataclass(frozen=True, slots=True)
class ProcessContext:
    """See ports.SinkContext."""

    stage: str
    pipeline: str
    read_secret: Callable[[], bytes]

    def secret(self) -> bytes:
        """See ports.SinkContext."""
        return self.read_secret()


def made(sink: CustomSink, context: SinkContext) -> RowSink:
    """Return the sink. InvalidPipeline if its adapter cannot be imported."""
    module, _, function = sink.adapter.partition(":")
    try:
        make: Callable[[CustomSink, SinkContext], RowSink] = getattr(import_module(module), function)
    except (ImportError, AttributeError) as error:
        kind = type(sink).__name__
        raise InvalidPipeline(f"sinks: {kind} {sink.name!r}: adapter {sink.adapter}: {error}") from error
    return make(sink, context)
