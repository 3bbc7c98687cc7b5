"""What every sink of rows keeps to: the twin and PostgreSQL alike."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from psycopg import sql

from functions.adapters.custom_sinks import ProcessContext, made
from functions.adapters.memory import MemoryRowSink
from functions.adapters.postgres import PostgresRowSink, conninfo
from functions.core.errors import InvalidPipeline, InvalidSetting, Refused, Unavailable
from functions.core.ports import RowBatch
from functions.core.rows import Rows
from functions.sinks.contract import SOURCE, SinkContract, Store, batch
from functions.sinks.postgres import Postgres
from tests.postgres_server import postgres

NUMBERS = count()


@dataclass(frozen=True, slots=True)
class Database:
    """A new table in a real server, which counts how often each row was changed."""

    server: str
    table: str
    opened: list[PostgresRowSink]

    def sink(self, key: str | tuple[str, ...] = "id", table: str = "") -> PostgresRowSink:
        descriptor = Postgres(f"sink-{self.table.split('.')[-1]}", table=table or self.table, key=key)
        sink = made(descriptor, ProcessContext("test", "contract", self.server.encode))
        assert isinstance(sink, PostgresRowSink)
        self.opened.append(sink)
        return sink

    def rows(self, columns: str = "id, name") -> list[tuple[object, ...]]:
        return self.run(f"SELECT {columns} FROM {self.table} ORDER BY 1")  # noqa: S608 - of this test's own

    def run(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.server, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as conninfo_:
        yield conninfo_


@pytest.fixture
def database(server: str) -> Iterator[Database]:
    created = Database(server, f"public.rows_{next(NUMBERS)}", [])
    created.run(f"""
        CREATE TABLE {created.table} (id bigint PRIMARY KEY CHECK (id >= 0), name text NOT NULL, changes int DEFAULT 0);
        CREATE OR REPLACE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN NEW.changes = OLD.changes + 1; RETURN NEW; END';
        CREATE TRIGGER counted BEFORE UPDATE ON {created.table} FOR EACH ROW EXECUTE FUNCTION counted();
    """)
    yield created
    for sink in created.opened:
        sink.close()


class TestMemory(SinkContract):
    @pytest.fixture
    def store(self) -> Store:
        sink = MemoryRowSink()
        return Store(sink, lambda: [(row["id"], row["name"]) for row in sink.rows.values()])


class TestPostgres(SinkContract):
    refused_id = -1  # by the table's CHECK
    deletes = True

    @pytest.fixture
    def store(self, database: Database) -> Store:
        return Store(database.sink(), database.rows)  # type: ignore[arg-type]


def test_no_row_is_written_twice(database: Database) -> None:
    sink = database.sink()
    for last in range(10):
        sink.apply(batch(*((offset, 0, offset) for offset in range(last + 1)), first=0, last=last))
    assert database.rows("id, changes") == [(offset, 0) for offset in range(10)]


def test_the_row_that_was_written_last_stands(database: Database) -> None:
    database.sink().apply(batch((0, 0, 7), (1, 0, 7), (1, 1, 7), first=0, last=1))
    assert database.rows("name, changes") == [("0/1/1", 2)]


def test_a_transaction_that_the_server_ends_has_no_effect_and_is_repeated(database: Database) -> None:
    sink, started = database.sink(), Event()
    sink.apply(batch((0, 0, 0), first=0, last=0))
    failures: list[BaseException] = []

    def apply() -> None:
        started.set()
        try:
            sink.apply(batch((1, 0, 1), (2, 0, 2), first=1, last=2))
        except Unavailable as error:
            failures.append(error)

    with psycopg.connect(database.server) as holder:
        holder.execute(sql.SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(sql.Identifier(*database.table.split("."))))
        thread = Thread(target=apply)
        thread.start()
        waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        ended = 0
        while ended < 2:  # the connection that was open, and the one that is opened for another try
            for (pid,) in database.run(waiting):
                ended += len(database.run(f"SELECT pg_terminate_backend({pid}, 5000)"))
        thread.join(30)
    assert len(failures) == 1
    assert database.rows() == [(0, "0/0/0")]
    sink.apply(batch((1, 0, 1), (2, 0, 2), first=1, last=2))
    assert database.rows("id, changes") == [(0, 0), (1, 0), (2, 0)]


def test_a_connection_that_was_closed_while_idle_is_opened_again(database: Database) -> None:
    sink = database.sink()
    sink.apply(batch((0, 0, 0), first=0, last=0))
    database.run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
    sink.apply(batch((1, 0, 1), first=1, last=1))
    assert len(database.rows()) == 2


@pytest.mark.parametrize(
    ("id_", "name", "detail"),
    [
        (2**63, "big", "22003"),
        (1, None, "23502"),
        (1, "nul \0", "DataError"),
        (-5, "check", "23514"),
        ("x", "text", "22P02"),
        (1, "\ud800", "UnicodeEncodeError"),
    ],
)
def test_why_a_row_is_refused(database: Database, id_: object, name: object, detail: str) -> None:
    rows = Rows([0, 1], [0, 0], [0, 0], {"id": [id_, 9], "name": [name, "good"]})
    (refusal,) = database.sink().apply(RowBatch(SOURCE, 0, 0, 1, rows))
    assert refusal.index == 0
    assert detail in refusal.detail
    assert "Failing row" not in refusal.detail
    assert database.rows() == [(9, "good")]


def test_a_trigger_of_the_table_can_refuse_a_row(database: Database) -> None:
    database.run(f"""
        CREATE FUNCTION strict() RETURNS trigger LANGUAGE plpgsql AS
            $$BEGIN IF NEW.id = 3 THEN RAISE 'no threes'; END IF; RETURN NEW; END$$;
        CREATE TRIGGER strict BEFORE INSERT ON {database.table} FOR EACH ROW EXECUTE FUNCTION strict();
    """)
    (refusal,) = database.sink().apply(batch((0, 0, 2), (1, 0, 3), first=0, last=1))
    assert (refusal.index, refusal.detail) == (1, "P0001: no threes")


def test_a_deletion_that_is_refused_stops_the_partition(database: Database) -> None:
    database.run(f"CREATE TABLE part_of (id bigint REFERENCES {database.table})")
    sink = database.sink()
    sink.apply(batch((0, 0, 4), first=0, last=0))
    database.run("INSERT INTO part_of VALUES (4)")
    with pytest.raises(Refused, match="PostgreSQL refused the deletion of record 1: 23503"):
        sink.apply(batch(first=1, last=1, deletes=[(1, 0, 4)]))


@pytest.mark.parametrize(
    ("key", "table", "detail"),
    [
        ("id", "no_such", 'relation "no_such" does not exist'),
        ("name", "", "there is no unique or exclusion constraint"),
        (("id", "name"), "", "there is no unique or exclusion constraint"),
    ],
)
def test_a_table_that_is_not_as_declared_stops_the_partition(
    database: Database, key: str | tuple[str, ...], table: str, detail: str
) -> None:
    with pytest.raises(Refused, match=detail):
        database.sink(key, table).apply(batch((0, 0, 1), first=0, last=0))


def test_a_column_that_is_missing_stops_the_partition(database: Database) -> None:
    rows = Rows([0], [0], [0], {"id": [1], "nope": ["x"]})
    with pytest.raises(Refused, match=r'column "nope" of relation .* does not exist'):
        database.sink().apply(RowBatch(SOURCE, 0, 0, 0, rows))


def test_lists_and_models_are_json(database: Database) -> None:
    database.run(f"ALTER TABLE {database.table} ADD tags jsonb, ADD nested jsonb")
    columns: dict[str, list[Any]] = {"id": [1], "name": ["n"], "tags": [["a", "ü"]], "nested": [{"deep": [1, None]}]}
    database.sink().apply(RowBatch(SOURCE, 0, 0, 0, Rows([0], [0], [0], columns)))
    assert database.rows("tags, nested") == [(["a", "ü"], {"deep": [1, None]})]


def test_refusals_are_forgotten_when_their_slice_is_settled(database: Database) -> None:
    sink = database.sink()
    mine = f"SELECT count(*) FROM tandem_refused WHERE sink = '{sink.sink.name}'"  # noqa: S608 - of this test's own
    sink.apply(batch((0, 0, -1), first=0, last=0))
    assert database.run(mine) == [(1,)]
    sink.apply(batch((1, 0, 1), first=1, last=1))
    assert database.run(mine) == [(0,)]


def test_a_server_that_is_away_is_unavailable(server: str) -> None:
    nowhere = conninfo(b"host=127.0.0.1 port=1 user=u dbname=d").encode()
    sink = made(Postgres("away", table="t", key="id"), ProcessContext("test", "p", lambda: nowhere))
    with pytest.raises(Unavailable, match="PostgreSQL: OperationalError"):
        sink.apply(batch((0, 0, 0), first=0, last=0))


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        (b"host=db user=u password=p dbname=d", {"host=db", "user=u", "sslmode=require", "tcp_user_timeout=30000"}),
        (b"postgresql://u:p@db:5433/d?sslmode=verify-full", {"host=db", "port=5433", "sslmode=verify-full"}),
        (
            b'{"engine": "postgres", "host": "db", "port": 5433, "username": "u", "password": "p w", "dbname": "d"}',
            {"host=db", "port=5433", "user=u", "dbname=d", "sslmode=require"},
        ),
    ],
)
def test_secrets(secret: bytes, expected: set[str]) -> None:
    assert expected <= set(conninfo(secret).split())


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        (b"secret words", "not shown"), (b"{", "not shown"), (b"\xff", "not shown"), (b'{"hostt": 1}', "not shown"),
        (b"[]", "not shown"), (b"user=u", "no host"), (b'{"username": "u", "password": "p"}', "no host"),
    ],
)  # fmt: skip
def test_a_secret_that_is_none_is_not_shown(secret: bytes, problem: str) -> None:
    with pytest.raises(InvalidSetting, match=problem) as raised:
        made(Postgres("p", table="t", key="id"), ProcessContext("test", "p", lambda: secret))
    assert "words" not in str(raised.value)


@pytest.mark.parametrize(
    ("sink", "problem"),
    [
        (Postgres("pg", key="user"), "table: expected TABLE or SCHEMA.TABLE, got ''"),
        (Postgres("pg", table="a.b.c", key="user"), "table: expected TABLE or SCHEMA.TABLE"),
        (Postgres("pg", table="t; DROP TABLE t", key="user"), "table: expected TABLE"),
        (Postgres("pg", table="t"), "key: expected a field"),
        (Postgres("pg", table="t", key="nope"), "key: the row has no field 'nope'"),
        (Postgres("pg", table="t", key=("user", "user")), "key: expected different fields"),
        (replace(Postgres("pg", table="t"), key=7), "key: expected different fields, got 7"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_work_is_refused_at_declaration(sink: Postgres, problem: str) -> None:
    from tests.unit.core.clicks import pipeline  # noqa: PLC0415

    with pytest.raises(InvalidPipeline, match=problem):
        pipeline(sinks=(sink,))
