"""Everything that is measured, in the order in which each round runs it."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

from sandbox.bench import environments, http, kafka_connect
from sandbox.bench.fill import fill
from sandbox.bench.load import Load
from sandbox.bench.result import ROOT, Result, Skipped, environment, parse, printed, run, together
from sandbox.broker.broker import Broker

Group = Literal["validate", "worker", "http", "lambda", "table", "start", "workers", "partitions", "sizes", "rejects"]
PARTITIONS: Final = 4
SIZES: Final = {"100 B": 100, "1 KB": 1000, "10 KB": 10_000, "100 KB": 100_000, "1 MB": 1_000_000}
SIZED_BYTES: Final = 150_000_000  # of a topic whose records are large: more than a worker holds in flight
HANDLER: Final = "functions.runtimes.msk.handler"
HAS_MSGSPEC: Final = find_spec("msgspec") is not None
PROFILED: Final = 50_000  # records: fewer give too few samples
USUAL: Final = ["boto3", "aws_lambda_powertools", "pydantic.main"]


@dataclass(frozen=True, slots=True)
class Task:
    """One measurement. `name` is its key in the report, `label` its text; `x` is its place in a series."""

    group: Group
    name: str
    label: str
    measure: Callable[[], Result]
    x: float | None = None


@dataclass(frozen=True)
class Plan:
    """The measurements for a number of `records`. Topics are filled when a measurement first needs them."""

    broker: Broker
    site: http.Site
    folder: Path
    records: int
    quick: bool
    say: Callable[[str], None]
    _topics: dict[str, int] = field(default_factory=dict)

    def tasks(self) -> Iterator[Task]:
        """Yield the tasks of a round."""
        yield from self._validating()
        yield from self._workers()
        yield from self._http()
        yield from self._lambda()
        yield from self._growth()

    @cached_property
    def _few(self) -> int:
        """The records of what is slow, or measured many times."""
        return self.records // 4

    def _validating(self) -> Iterator[Task]:
        repeated = Load(self.records)
        peer = partial(self._peer, repeated)
        yield Task("validate", "bare", "bare librdkafka loop", partial(self._loop, repeated, validate=False))
        yield Task("validate", "hand", "by hand: consume, pydantic", partial(self._loop, repeated, validate=True))
        yield Task("validate", "aiokafka", "aiokafka, pydantic", partial(peer, "aiokafka_loop"))
        yield Task("validate", "faststream", "FastStream, batches", partial(peer, "faststream_batch"))
        yield Task("validate", "quix", "Quix Streams", partial(peer, "quix"))
        yield Task("validate", "kafka_connect", "Kafka Connect: Iceberg's sink to S3", self._connect)

    def _workers(self) -> Iterator[Task]:
        for models in ("pydantic", "msgspec"):
            for keys, load in (("", Load(self.records)), ("_unique", Load(self.records, unique=True))):
                label = f"Tandem's worker, {models}, {'unique' if load.unique else 'repeated'} keys"
                yield Task("worker", f"worker_{models}{keys}", label, partial(self._worker, load, models))

    def _http(self) -> Iterator[Task]:
        count, few = self.records // 4, max(1500, self.records // 40)
        half = Load(count // 4, rejects=0.5)
        yield Task("http", "http_repeated", "worker over HTTP, repeated keys", partial(self._settle, Load(count)))
        yield Task(
            "http", "http_unique", "worker over HTTP, unique keys", partial(self._settle, Load(few, unique=True))
        )
        yield Task(
            "http", "http_rejects_50", "worker over HTTP, repeated keys, 50 % rejects", partial(self._settle, half)
        )
        label = f"worker over HTTP at {environments.BEFORE}, unique keys"
        yield Task("http", "http_before", label, partial(self._before, Load(few, unique=True)))
        yield Task("table", "table_rows", "table sink, new rows", partial(self._table, few, plain=False))
        yield Task("table", "put_item", "boto3, one put_item a row", partial(self._table, few, plain=True))

    def _lambda(self) -> Iterator[Task]:
        given = {"records": self._few, "batch": 5000 if self._few > 5000 else 1000}  # noqa: PLR2004 - of 6 MB
        yield Task("lambda", "handler", "Tandem's handler, all effects", partial(run, "handler", given | PYDANTIC))
        msgspec = partial(self._twin, "handler", given)
        yield Task("lambda", "handler_msgspec", "Tandem's handler, all effects, msgspec", msgspec)
        powertools = partial(run, "powertools", given)
        yield Task("lambda", "powertools", "Powertools' kafka_consumer, validates only", powertools)
        yield Task("start", "cold_import", "import of the handler", partial(self._import, [HANDLER]))
        usual = partial(self._import, USUAL)
        yield Task("start", "usual_import", "import of boto3, Powertools and pydantic", usual)
        yield Task("start", "first_record", "the handler's first record, after its import", self._first_record)

    def _growth(self) -> Iterator[Task]:
        for workers in (1, 2, 4):
            share = Load(self.records // (4 if workers > 1 else 2))
            measure = partial(self._side_by_side, share, workers)
            yield Task("workers", f"workers_{workers}", f"{workers} in parallel", measure, workers)
        for partitions in (1, 100) if self.quick else (1, 10, 100, 1000):
            measure = partial(self._worker, Load(self._few), "pydantic", partitions)
            yield Task("partitions", f"partitions_{partitions}", f"{partitions:,}", measure, partitions)
        for label, size in SIZES.items():
            load = Load(min(self._few, SIZED_BYTES // size), size=size)
            yield Task("sizes", f"size_{size}", label, partial(self._worker, load), size)
        for percent in (0, 50) if self.quick else (0, 10, 25, 50):
            measure = partial(self._worker, Load(self.records // 2, rejects=percent / 100))
            yield Task("rejects", f"rejects_{percent}", f"{percent} %", measure, percent)

    def _topic(self, load: Load, partitions: int = PARTITIONS) -> str:
        """Return the topic that holds these records, filled if it was not."""
        kind = f"{'unique' if load.unique else 'repeated'}-{load.rejects:g}-{load.size or 'plain'}"
        topic = f"bench-{load.count}-{kind}-{partitions}"
        if topic not in self._topics:
            self._topics[topic] = self.broker.create_topic(topic, partitions)
            fill(self.broker.bootstrap, topic, load.values(), partitions)
        return topic

    def _given(self, load: Load, partitions: int = PARTITIONS) -> dict[str, Any]:
        topic = self._topic(load, partitions)
        return {"bootstrap": self.broker.bootstrap, "topic": topic, "records": load.count}

    def _loop(self, load: Load, *, validate: bool) -> Result:
        return run("bare", self._given(load) | {"validate": validate})

    def _peer(self, load: Load, module: str) -> Result:
        return run(module, self._given(load), environments.peers(self.folder, self.say))

    def _connect(self) -> Result:
        values = Load(max(self.records, kafka_connect.MIN_RECORDS)).values()
        return kafka_connect.sink(self.site, self.folder, values, self.say)

    def _worker(self, load: Load, models: str = "pydantic", partitions: int = PARTITIONS) -> Result:
        given = self._given(load, partitions) | {"gate": False}
        return self._twin("memory_worker", given) if models == "msgspec" else run("memory_worker", given | PYDANTIC)

    def profiles(self) -> dict[str, dict[str, float]]:
        """Return the sampled profile of settling with each kind of models, by module, in CPU microseconds a record."""
        found: dict[str, dict[str, float]] = {}
        for models in ("pydantic", "msgspec") if HAS_MSGSPEC else ("pydantic",):
            profile = printed("profile", {"records": max(self.records, PROFILED), "models": models})
            found[models] = {name: round(value, 3) for name, value in profile.items()}
        return found

    def _twin(self, module: str, given: Mapping[str, Any]) -> Result:
        """Run a program with the models in msgspec. Skipped without that package."""
        if not HAS_MSGSPEC:
            raise Skipped("msgspec is not installed")
        return run(module, {**given, "models": "msgspec"})

    def _side_by_side(self, load: Load, workers: int) -> Result:
        """Run workers at the same time, each in a separate group, so that each settles the whole topic."""
        given = json.dumps(self._given(load) | PYDANTIC | {"gate": True})
        command = [sys.executable, "-m", "sandbox.bench.programs.memory_worker", given]
        pipe = subprocess.PIPE
        running = [
            subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=pipe, stdout=pipe, stderr=pipe, text=True)
            for _ in range(workers)
        ]
        for process in running:
            assert process.stdout is not None  # noqa: S101 - a pipe
            process.stdout.readline()
        for process in running:
            assert process.stdin is not None  # noqa: S101 - a pipe
            process.stdin.write("go\n")
            process.stdin.flush()
        outputs = [(process, *process.communicate()) for process in running]
        return together([
            Result(**parse("memory_worker", output, process.returncode, errors)) for process, output, errors in outputs
        ])  # fmt: skip

    def _settle(self, load: Load) -> Result:
        return http.settle(self.site, load.values())

    def _before(self, load: Load) -> Result:
        return http.settle(self.site, load.values(), environments.before(self.folder))

    def _table(self, rows: int, *, plain: bool) -> Result:
        given = {"bootstrap": self.broker.bootstrap, "records": rows, "plain": plain, "key": str(self.site.key)}
        return run("table_rows", given)

    def _import(self, modules: list[str]) -> Result:
        return run("imports", {"modules": modules, "event": False})

    def _first_record(self) -> Result:
        return run("imports", {"modules": [HANDLER], "event": True}, more=http.new_stage(self.site))


PYDANTIC: Final = {"models": "pydantic"}
