"""Running the Lambda handler in this process on one event."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, ParamSpec, TypeVar

from functions import registry
from functions.adapters.memory import memory_stores
from functions.bootstrap import App, now
from functions.cli.invocation_report import InvocationReport
from functions.core.dead_letter import DeadLetter
from functions.core.errors import Misconfigured
from functions.core.ports import DeadLetters
from functions.core.slice import Slice
from functions.runtimes.msk.batch import Batch
from functions.runtimes.msk.event import slices
from functions.runtimes.msk.handler import build
from functions.settings import Settings
from functions.telemetry import Attempt

MASK_KEY: Final = b"only for in-memory stores"
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class LocalContext:
    """What the handler reads of Lambda's context. `timeout` in seconds; it is not counted down."""

    timeout: float
    aws_request_id: str = "local"

    def get_remaining_time_in_millis(self) -> int:
        """Return the time that the handler has left."""
        return int(self.timeout * 1000)


class InlineExecutor(Executor):
    """Runs everything in the calling thread: `pdb` stops at breakpoints of the thread that it started only."""

    def submit(
        self, fn: Callable[Parameters, Result], /, *args: Parameters.args, **kwargs: Parameters.kwargs
    ) -> Future[Result]:
        """Return a future that is done."""
        future: Future[Result] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@dataclass(frozen=True, slots=True)
class RecordingBatch(Batch):
    """A batch that keeps its attempts."""

    attempts: list[Attempt] = field(default_factory=list)

    def run(self, slices: Sequence[Slice], deadline: float) -> list[Attempt]:
        """See Batch."""
        ended = Batch.run(self, slices, deadline)
        self.attempts.extend(ended)
        return ended


@dataclass(frozen=True, slots=True)
class RecordingDeadLetters:
    """A store of dead letters that keeps those it was given."""

    store_: DeadLetters
    letters: list[DeadLetter] = field(default_factory=list)

    def store(self, letters: Sequence[DeadLetter]) -> None:
        """See ports.DeadLetters."""
        self.letters.extend(letters)
        self.store_.store(letters)


def invoke(app: App, event: Mapping[str, Any], timeout: float) -> InvocationReport:
    """Run the handler on an event. Its log lines and metrics go to standard error, so that standard output is free."""
    settler = app.settler
    recorder = RecordingDeadLetters(settler.stores.dead_letters)
    error: Exception | None = None
    with redirect_stdout(sys.stderr):
        runtime = build(App(app.settings, replace(settler.stores, dead_letters=recorder)))
        batch = RecordingBatch(runtime.batch.begin, InlineExecutor(), runtime.batch.backoff)
        try:
            replace(runtime, batch=batch).handle(event, LocalContext(timeout))  # type: ignore[arg-type] # what it reads
        except Exception as raised:  # noqa: BLE001 - whatever the handler raises is the result
            error = raised
    return InvocationReport(app.pipeline, batch.attempts, recorder.letters, error)


@contextmanager
def memory_app(pipeline: str) -> Iterator[App]:
    """Provide an app on empty in-memory stores, which needs no variables. InvalidPipeline if there is none so named."""
    registry.load(pipeline)  # before the settings, whose errors would name the pipeline's pattern
    with TemporaryDirectory() as folder:
        key = Path(folder, "mask-key")
        key.write_bytes(MASK_KEY)
        settings = Settings(
            stage="memory", pipeline=pipeline, lake_bucket="memory", dead_letter_bucket="memory",
            mask_key_from=f"file:{key}", bootstrap_servers="memory:0", kafka_auth="plaintext",
            registry_url=os.environ.get("TANDEM_REGISTRY_URL"), registry_from=os.environ.get("TANDEM_REGISTRY_FROM"),
        )  # fmt: skip
        yield App(settings, memory_stores(App(settings).pipeline, now))


def read_event(path: Path) -> Mapping[str, Any]:
    """Return the event in a file. Misconfigured, in one line, if it is not one of an MSK event source mapping."""
    try:
        event: Mapping[str, Any] = json.loads(path.read_bytes())
        for slice_ in slices(event):
            list(slice_.headers)  # they are decoded when they are read
    except OSError as error:
        raise Misconfigured(f"{path}: {error.strerror}") from None
    except json.JSONDecodeError as error:
        raise Misconfigured(f"{path}: expected JSON: {error}") from None
    except ValueError as error:
        raise Misconfigured(f"{path}: {error}") from None
    return event
