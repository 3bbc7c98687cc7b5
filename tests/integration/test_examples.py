"""The pipelines of docs/examples on Apache Kafka: both runtimes leave the same in the stores, PostgreSQL included."""

import secrets
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final

import psycopg
import pytest
from boto3 import Session
from confluent_kafka import Producer

import functions.pipelines
from functions import registry
from functions.adapters.ledger import DynamoLedger
from functions.core import names
from functions.core.backoff import Backoff
from functions.core.pipeline import AnyPipeline
from sandbox.aws import LocalAws
from sandbox.broker.apache import Apache
from sandbox.event_source.function import LambdaFunction
from sandbox.event_source.mapping import EventSourceMapping
from sandbox.event_source.retry_policy import RetryPolicy
from sandbox.event_source.source import EventSource
from sandbox.stage import LocalStage
from tests.docs.example_records import EXAMPLES, LEVEL, MS, RECORDS, Sent, sent
from tests.integration import found
from tests.integration.conftest import MASK_KEY, QUICK, SESSION_SECONDS, empty
from tests.integration.waiting import PATIENCE, eventually
from tests.integration.worker import ProbedWorker
from tests.postgres_server import postgres

PROGRAM: Final = "tests.integration.examples_runtime"
STOCK: Final = """
CREATE TABLE {schema}.stock (
    warehouse text, sku text, quantity bigint NOT NULL CHECK (quantity >= 0), counted_at timestamptz NOT NULL,
    changes int NOT NULL DEFAULT 0, PRIMARY KEY (warehouse, sku));
CREATE FUNCTION {schema}.counted() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN NEW.changes = OLD.changes + 1; RETURN NEW; END';
CREATE TRIGGER counted BEFORE UPDATE ON {schema}.stock FOR EACH ROW EXECUTE FUNCTION {schema}.counted();
"""


@dataclass
class Example(LocalStage):
    """A stage of one example, and its two runtimes."""

    def worker(self) -> ProbedWorker:
        command = (sys.executable, "-m", PROGRAM, "worker")
        return ProbedWorker(self.environment, self.folder / f"worker-{secrets.token_hex(2)}.log", command)

    def event_source(self, batch_size: int = 100) -> EventSource:
        log = self.folder / "lambda.log"
        function = LambdaFunction(f"{PROGRAM}.handler", self.environment, task_root=Path.cwd(), log=log)
        retries = RetryPolicy(backoff=Backoff(initial_seconds=0.05, max_seconds=0.1))
        settings: dict[str, Any] = {"window": 0.1, "session_timeout": SESSION_SECONDS, "batch_size": batch_size}
        topic, bootstrap = self.pipeline.topic, self.broker.bootstrap
        mapping = EventSourceMapping(topic, self.group, bootstrap, function, retries=retries, **settings)
        return EventSource(mapping, self.s3)

    def settled(self) -> int:
        tables = names.ledger_table(self.name), names.counters_table(self.name)
        ledger = DynamoLedger(Session().client("dynamodb"), *tables)
        return sum(at.next for at in ledger.positions(self.pipeline.name, self.pipeline.topic).values() if at.next > 0)

    def state(self) -> str:
        logs = (f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in self.folder.glob("*.log"))
        return "\n".join([f"settled {self.settled()}", *logs])

    def contents(self) -> dict[str, Any]:
        """Return what the stores hold, without the slices that it came in."""
        table = self.dynamodb.Table
        rows = [(place, row["_row"], sorted(row.items())) for place, row in found.rows(self.s3, self.lake)]
        counted = [sorted(item.items()) for item in found.items(table(names.counters_table(self.name)))]
        tables = {
            sink.name: sorted(
                map(repr, map(sorted, map(dict.items, found.items(table(names.rows_table(self.name, sink.name))))))
            )
            for sink in self.pipeline.tables
        }
        letters = sorted(key for key, _ in found.objects(self.s3, self.dead_letters))
        return {
            "rows": sorted(map(repr, rows)),
            "counters": sorted(map(repr, counted)),
            "tables": tables,
            "letters": letters,
        }


@dataclass(frozen=True, slots=True)
class Ground:
    """What a stage stands on."""

    broker: Apache
    aws: LocalAws
    folder: Path
    database: str

    def stage(self, name: str, database: str) -> Example:
        """Return a stage of an example. `database`: the connection string of its Postgres sink."""
        folder = Path(mkdtemp(dir=self.folder))
        (folder / "secret").write_text(database)
        settings = {**QUICK, "TANDEM_FLOOD_RATIO": "1", "TANDEM_SINK_STOCK_FROM": f"file:{folder / 'secret'}"}
        stage, pipeline = f"test{secrets.token_hex(4)}", registry.load(name)
        return Example(stage, pipeline, self.broker, self.aws, folder, SESSION_SECONDS, settings, MASK_KEY)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as conninfo:
        yield conninfo


@pytest.fixture
def ground(
    real: Apache, aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: str
) -> Iterator[Ground]:
    """Finds the examples, before a pipeline of the same name."""
    for variable, value in aws.environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(functions.pipelines, "__path__", [str(EXAMPLES), *functions.pipelines.__path__])
    for name in RECORDS:
        monkeypatch.delitem(sys.modules, f"functions.pipelines.{name}", raising=False)
    yield Ground(real, aws, tmp_path, server)
    for name in RECORDS:
        sys.modules.pop(f"functions.pipelines.{name}", None)


def produce(pipeline: AnyPipeline, broker: Apache, records: Sequence[Sent]) -> None:
    """Produce to empty topics."""
    empty(broker, (pipeline.topic, *(sink.name for sink in pipeline.topics)), partitions=1)
    producer = Producer({"bootstrap.servers": broker.bootstrap, "max.in.flight": 1})
    for number, record in enumerate(records):
        headers: Any = list(record.headers) or None
        producer.produce(pipeline.topic, record.value, record.key, timestamp=MS + number, headers=headers)
        producer.poll(0)
    assert producer.flush(PATIENCE) == 0


def schema(database: str) -> str:
    """Create a schema with the example's table, and return the connection string that finds it."""
    name = f"s{secrets.token_hex(4)}"
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {name}; {STOCK.format(schema=name)}".encode())
    return f"{database} options='-c search_path={name}'"


def stock(conninfo: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(conninfo) as connection:
        return connection.execute("SELECT warehouse, sku, quantity, changes FROM stock ORDER BY 1, 2").fetchall()


@pytest.mark.parametrize("name", RECORDS)
def test_both_runtimes_store_the_same(ground: Ground, name: str) -> None:
    databases = [schema(ground.database), schema(ground.database)]
    lambda_, worker = (ground.stage(name, each) for each in databases)
    produce(lambda_.pipeline, ground.broker, RECORDS[name])
    total = len(RECORDS[name])
    with lambda_.event_source() as source:
        eventually(lambda: source.error or lambda_.settled() == total, lambda_.state)
    with worker.worker():
        eventually(lambda: worker.settled() == total, worker.state)
    first, second = lambda_.contents(), worker.contents()
    assert first == second
    assert first["rows"]
    assert first["letters"]
    assert stock(databases[0]) == stock(databases[1])
    assert [row[1] for row in stock(databases[0])] == ["tea"] * (name == "inventory")


def test_postgres_has_every_row_exactly_once_when_workers_die(ground: Ground) -> None:
    """The table counts its changes, so a row that is written twice would show."""
    database, skus, rounds = schema(ground.database), 50, 120
    stage, total = ground.stage("inventory", database), skus * rounds
    records = [
        sent(LEVEL | {"sku": f"{sku:02}", "quantity": round_}, f'{{"warehouse": "lyon", "sku": "{sku:02}"}}'.encode())
        for round_ in range(rounds)
        for sku in range(skus)
    ]
    produce(stage.pipeline, ground.broker, records)
    for until in (total * 1 // 10, total * 3 // 10, total * 5 // 10):
        with stage.worker() as worker:
            eventually(partial(lambda count: stage.settled() > count, until), stage.state)
            worker.kill()
    with stage.event_source(batch_size=500) as source:
        eventually(lambda: source.error or stage.settled() > total * 7 // 10, stage.state)
    with stage.worker():
        eventually(lambda: stage.settled() == total, stage.state)
    assert stock(database) == [("lyon", f"{sku:02}", rounds - 1, rounds - 1) for sku in range(skus)]
