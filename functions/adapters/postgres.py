"""Rows in PostgreSQL: one transaction a batch, which also moves the position of the batch's partition.

The position makes it exact. Whoever brings a batch, again, in part, cut differently or late, locks the position of its
partition first and skips the records before it. A row that the table refuses is kept beside the position, because the
slice may crash before its dead letter is stored: the batch that comes again gets the same refusals.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from typing import Any, Final

import psycopg
from psycopg import Connection, errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.json import Jsonb
from pydantic_core import to_json

from functions.core.errors import InvalidSetting, Refused, Unavailable
from functions.core.ports import Refusal, RowBatch, SinkContext, Source
from functions.core.rows import Rows
from functions.sinks.postgres import Postgres

CONNECT_SECONDS: Final = 10
UNANSWERED_MS: Final = 30_000  # after which a connection without any answer is given up
EXPECTED: Final = 'a connection string or {"host": ..., "username": ..., "password": ..., "dbname": ...}'

# What a table says of one row, whose value or reference is at fault; RaiseException comes from a trigger of the user's.
ROW_ERRORS: Final = (errors.DataError, errors.IntegrityError, errors.RaiseException, UnicodeError)
SCHEMA_ERRORS: Final = (errors.ProgrammingError, errors.NotSupportedError)

# A process that was stopped in the middle, as Lambda's may be, must not keep its partition's position locked.
BEGIN: Final = "SET LOCAL statement_timeout = '30s'; SET LOCAL idle_in_transaction_session_timeout = '60s'"
SETUP: Final = """
SELECT pg_advisory_xact_lock(hashtext('tandem_position'));
CREATE TABLE IF NOT EXISTS tandem_position (
    stage text, pipeline text, sink text, topic text, "partition" integer,
    epoch bigint NOT NULL, next bigint NOT NULL,
    PRIMARY KEY (stage, pipeline, sink, topic, "partition"));
CREATE TABLE IF NOT EXISTS tandem_refused (
    stage text, pipeline text, sink text, topic text, "partition" integer, "offset" bigint, number integer,
    detail text NOT NULL,
    PRIMARY KEY (stage, pipeline, sink, topic, "partition", "offset", number));
"""
IS_SET_UP: Final = "SELECT to_regclass('tandem_position') IS NOT NULL AND to_regclass('tandem_refused') IS NOT NULL"
OF_SOURCE: Final = """
WHERE stage = %(stage)s AND pipeline = %(pipeline)s AND sink = %(sink)s AND topic = %(topic)s
AND "partition" = %(partition)s
"""
OPEN: Final = """
INSERT INTO tandem_position
VALUES (%(stage)s, %(pipeline)s, %(sink)s, %(topic)s, %(partition)s, %(epoch)s, -1) ON CONFLICT DO NOTHING
"""
LOCK: Final = f"SELECT epoch, next FROM tandem_position {OF_SOURCE} FOR UPDATE"  # noqa: S608 - constants
MOVE: Final = f"UPDATE tandem_position SET epoch = %(epoch)s, next = %(next)s {OF_SOURCE}"  # noqa: S608
REFUSE: Final = """
INSERT INTO tandem_refused
VALUES (%(stage)s, %(pipeline)s, %(sink)s, %(topic)s, %(partition)s, %(offset)s, %(number)s, %(detail)s)
"""
# Those of earlier slices have their dead letters. `first` is beyond all offsets when an epoch begins.
FORGET: Final = f'DELETE FROM tandem_refused {OF_SOURCE} AND "offset" < %(first)s'  # noqa: S608
REMEMBERED: Final = f'SELECT "offset", number, detail FROM tandem_refused {OF_SOURCE} AND "offset" <= %(last)s'  # noqa: S608
ALL_OFFSETS: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Write:
    """A statement with its values, and the place of the row or deletion in its record."""

    statement: sql.Composed
    values: tuple[Any, ...]
    offset: int
    number: int
    is_deletion: bool


@dataclass(slots=True)
class PostgresRowSink:
    """See ports.RowSink. `connect` opens a connection in autocommit mode; threads use different ones."""

    sink: Postgres
    stage: str
    connect: Callable[[], "Connection[Any]"]
    _idle: list["Connection[Any]"] = field(default_factory=list)

    def apply(self, batch: RowBatch) -> Sequence[Refusal]:
        """Apply the batch in one transaction. Raises Unavailable, or Refused if the table is not as declared."""
        with self._calling():
            if self._idle:
                try:
                    return self._with(self._idle.pop(), batch)
                except errors.OperationalError:
                    self.close()  # the server, or what is between, has closed them while they were not used
            connection = self.connect()
            _set_up(connection)
            return self._with(connection, batch)

    def close(self) -> None:
        """Close the connections that are not in use."""
        while self._idle:
            self._idle.pop().close()

    def _with(self, connection: "Connection[Any]", batch: RowBatch) -> Sequence[Refusal]:
        try:
            with connection.transaction():
                connection.execute(BEGIN)
                refusals = self._applied(connection, batch)
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return refusals

    def _applied(self, connection: "Connection[Any]", batch: RowBatch) -> Sequence[Refusal]:
        source = self._source(batch.source) | {"epoch": batch.epoch, "first": batch.first, "last": batch.last}
        connection.execute(OPEN, source)
        epoch, position = connection.execute(LOCK, source).fetchone() or (0, -1)
        if batch.epoch < epoch:
            return ()
        if batch.epoch > epoch:
            position = -1
            connection.execute(FORGET, source | {"first": ALL_OFFSETS})
        connection.execute(FORGET, source)
        refused = {(offset, number): detail for offset, number, detail in connection.execute(REMEMBERED, source)}
        new = batch.rows.between(position, batch.last)
        for write, detail in _write(connection, self._writes(new)):
            place = {"offset": write.offset, "number": write.number, "detail": detail}
            connection.execute(REFUSE, source | place)
            refused[write.offset, write.number] = detail
        if batch.last >= position:
            connection.execute(MOVE, source | {"next": batch.last + 1})
        places = enumerate(zip(batch.rows.offsets, batch.rows.numbers, strict=True))
        return [Refusal(index, refused[place]) for index, place in places if place in refused]

    def _source(self, source: Source) -> dict[str, Any]:
        return {
            "stage": self.stage, "pipeline": source.pipeline, "sink": self.sink.name,
            "topic": source.topic, "partition": source.partition,
        }  # fmt: skip

    def _writes(self, rows: Rows) -> list[Write]:
        """Return the writes of rows and deletions, in the order of their records."""
        upsert, delete = self._statements(tuple(rows.columns))
        values = zip(*(map(_value, column) for column in rows.columns.values()), strict=True)
        writes = [
            Write(upsert, row, offset, number, is_deletion=False)
            for offset, number, row in zip(rows.offsets, rows.numbers, values, strict=True)
        ]
        if not rows.deletes:
            return writes
        keys = self.sink.key_fields
        deletes = [
            Write(delete, tuple(each.keys[name] for name in keys), each.offset, each.number, is_deletion=True)
            for each in rows.deletes
        ]
        return sorted([*writes, *deletes], key=attrgetter("offset", "number"))

    def _statements(self, names: tuple[str, ...]) -> tuple[sql.Composed, sql.Composed]:
        """Return the statements that write a row with fields of these names, and that delete the row of a key."""
        table, keys = sql.Identifier(*self.sink.table.split(".")), self.sink.key_fields
        changes = [sql.SQL("{0} = EXCLUDED.{0}").format(sql.Identifier(name)) for name in names if name not in keys]
        upsert = sql.SQL("INSERT INTO {} ({}) VALUES ({}) ON CONFLICT ({}) DO {}").format(
            table, _joined(names), sql.SQL(", ").join(sql.Placeholder() * len(names)), _joined(keys),
            sql.SQL("UPDATE SET ") + sql.SQL(", ").join(changes) if changes else sql.SQL("NOTHING"),
        )  # fmt: skip
        condition = sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in keys)
        return upsert, sql.SQL("DELETE FROM {} WHERE {}").format(table, condition)

    @contextmanager
    def _calling(self) -> Iterator[None]:
        """Turn psycopg's errors into Tandem's."""
        try:
            yield
        except SCHEMA_ERRORS as error:
            raise Refused(f"PostgreSQL refused table {self.sink.table}: {_text(error)}") from None
        except errors.Error as error:
            raise Unavailable(f"PostgreSQL: {_text(error)}") from None


def _joined(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, names))


def _value(value: Any) -> Any:  # noqa: ANN401 - any canonical value
    return Jsonb(value, dumps=to_json) if isinstance(value, list | dict) else value


def _set_up(connection: "Connection[Any]") -> None:
    """Create the two tables if they do not exist."""
    if connection.execute(IS_SET_UP).fetchone() != (True,):
        with connection.transaction():
            connection.execute(SETUP)


def _write(connection: "Connection[Any]", writes: Sequence[Write]) -> list[tuple[Write, str]]:
    """Write all; return the rows that the table refuses, and why. Raises Refused if it refuses a deletion."""
    if not writes:
        return []
    try:
        with connection.transaction(), connection.cursor() as cursor:
            for statement, of_statement in groupby(writes, attrgetter("statement")):
                cursor.executemany(statement, [write.values for write in of_statement])
    except ROW_ERRORS:
        return [(write, detail) for write in writes if (detail := _write_one(connection, write)) is not None]
    return []


def _write_one(connection: "Connection[Any]", write: Write) -> str | None:
    """Write a row; return why the table refuses it, or None."""
    try:
        with connection.transaction():
            connection.execute(write.statement, write.values)
    except ROW_ERRORS as error:
        if write.is_deletion:
            raise Refused(f"PostgreSQL refused the deletion of record {write.offset}: {_code(error)}") from None
        return _text(error)
    return None


def _text(error: Exception) -> str:
    """Describe an error in one line: PostgreSQL's own message, without its details, which quote rows."""
    message = error.diag.message_primary if isinstance(error, errors.Error) else None
    return f"{_code(error)}: {' '.join((message or str(error)).split())}"


def _code(error: Exception) -> str:
    return str(getattr(error, "sqlstate", None) or type(error).__name__)


def conninfo(secret: bytes) -> str:
    """Return a secret as libpq's connection string. Raises InvalidSetting; TLS is required unless it says otherwise.

    `secret` is a connection string or URL of libpq, or JSON with the names that Secrets Manager gives those of RDS.
    """
    try:
        text = secret.decode()
        given = json.loads(text) if text.lstrip().startswith("{") else conninfo_to_dict(text)
        if "username" in given:
            names = {"host": "host", "port": "port", "username": "user", "password": "password", "dbname": "dbname"}
            given = {name: given[key] for key, name in names.items() if key in given}
        known = make_conninfo("", **given)
    except (ValueError, psycopg.Error, TypeError):
        raise InvalidSetting(f"the secret of a Postgres sink is not shown, expected {EXPECTED}") from None
    if not given.get("host"):
        raise InvalidSetting(f"the secret of a Postgres sink has no host, expected {EXPECTED}")
    defaults: dict[str, str | int] = {
        "sslmode": "require", "connect_timeout": CONNECT_SECONDS, "tcp_user_timeout": UNANSWERED_MS,
        "application_name": "tandem",
    }  # fmt: skip
    return make_conninfo(known, **{name: value for name, value in defaults.items() if name not in given})


def make(sink: Postgres, context: SinkContext) -> PostgresRowSink:
    """Return the sink that Postgres describes. InvalidSetting if its secret is missing or none."""
    conninfo(context.secret())

    def connect() -> "Connection[Any]":
        # The secret is read for each connection, because passwords are replaced.
        return psycopg.connect(conninfo(context.secret()), autocommit=True)

    return PostgresRowSink(sink, context.stage, connect)
