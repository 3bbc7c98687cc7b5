"""The SQL of cdk/analytics/sql: every file parses in the dialect of its service, and has the required content."""

import logging
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
import sqlglot
from sqlglot import exp

from cdk.analytics import statements
from cdk.analytics.columns import redshift_columns
from cdk.analytics.statements import QUERIES, SQL, LoadSettings, Statement
from docs.examples import customers
from functions.core.pipeline import AnyPipeline
from functions.pipelines.logins import PIPELINE
from tests.contracts import everything
from tests.infrastructure.conftest import ROOT

ROLE = "arn:aws:iam::111122223333:role/tandem-prod-us-east-1-load"
SETTINGS = LoadSettings("prod", "tandem-prod-lake-111122223333-us-east-1", ROLE)
PIPELINES = (PIPELINE, everything.PIPELINE, customers.PIPELINE)
NAMES = [pipeline.name for pipeline in PIPELINES]
SCHEMA, *REST = statements.warehouse_statements(SETTINGS, PIPELINES)
TABLES, JOBS = REST[::2], REST[1::2]
# Redshift documentation, "COPY JOB": COPY ... JOB CREATE name AUTO ON. No hyphens in the name, no default role.
JOB = re.compile(
    r'COPY "tandem_prod"\."(?P<table>\w+)"\n'
    r"FROM 's3://[a-z0-9-]+/(?P<prefix>[a-z0-9-]+)/'\n"
    r"IAM_ROLE 'arn:aws:iam::\d{12}:role/[\w-]+'\n"
    r"FORMAT AS PARQUET(?P<nested> SERIALIZETOJSON)?\n"
    r"JOB CREATE (?P<job>\w+) AUTO ON\n"
)


@pytest.fixture(autouse=True)
def no_fallback(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """sqlglot warns if it cannot parse a statement and treats it as a command, which none here may be."""
    with caplog.at_level(logging.WARNING, "sqlglot"):
        yield
    assert not caplog.records


def parsed(sql: str, dialect: str = "redshift") -> list[exp.Expr]:
    """The statements of a file; sqlglot raises for what is none."""
    return [each for each in sqlglot.parse(sql, dialect=dialect) if each is not None]


def test_every_sql_file_is_used() -> None:
    redshift = {"schema", "table", "table_is_there", "job", "job_is_there", "backfill"}
    assert {path.stem for path in SQL.glob("*.sql")} == redshift | set(QUERIES)


def test_a_missing_slot_is_an_error() -> None:
    with pytest.raises(KeyError, match="schema"):
        statements.fill("schema")


def test_the_schema_has_the_stages_name() -> None:
    (statement,) = parsed(SCHEMA.sql)
    assert isinstance(statement, exp.Create)
    assert (statement.kind, statement.this.sql("redshift"), SCHEMA.unless) == ("SCHEMA", '"tandem_prod"', "")


@pytest.mark.parametrize(("pipeline", "table"), list(zip(PIPELINES, TABLES, strict=True)), ids=NAMES)
def test_a_table_has_the_columns_of_the_lake(pipeline: AnyPipeline, table: Statement) -> None:
    (statement,) = parsed(table.sql)
    assert isinstance(statement, exp.Create)
    assert [column.name for column in statement.find_all(exp.ColumnDef)] == [
        name for name, _ in redshift_columns(pipeline.schema, history=pipeline.keeps_history)
    ]
    (sorted_by,) = statement.find_all(exp.SortKeyProperty)
    assert sorted_by.sql("redshift") == 'COMPOUND SORTKEY("_timestamp")'
    assert not list(statement.find_all(exp.PrimaryKey))


@pytest.mark.parametrize(("pipeline", "table"), list(zip(PIPELINES, TABLES, strict=True)), ids=NAMES)
def test_a_table_exists_only_with_exactly_its_columns(pipeline: AnyPipeline, table: Statement) -> None:
    """The query is plain SQL, so it runs on another engine here."""
    names = [name for name, _ in redshift_columns(pipeline.schema, history=pipeline.keeps_history)]
    where = pipeline.name
    assert found(table.unless, where, names)
    assert not found(table.unless, where, [])
    assert not found(table.unless, where, names[:-1])
    assert not found(table.unless, where, [*names, "more"])
    assert not found(table.unless, where, [names[1], names[0], *names[2:]])
    assert not found(table.unless, "another", names)


@pytest.mark.parametrize(("pipeline", "job"), list(zip(PIPELINES, JOBS, strict=True)), ids=NAMES)
def test_a_job_loads_a_pipelines_objects_into_its_table(pipeline: AnyPipeline, job: Statement) -> None:
    (statement,) = parsed(job.sql)
    assert isinstance(statement, exp.Copy)
    said = JOB.fullmatch(uncommented(job.sql))
    assert said
    name, nested = pipeline.name, " SERIALIZETOJSON" if pipeline.name == "everything" else None
    assert said.groupdict() == {"table": name, "prefix": name, "job": f"load_{name}", "nested": nested}
    assert f"job_name = 'load_{pipeline.name}'" in job.unless


def test_a_backfill_loads_missing_rows() -> None:
    _, temporary, copy, insert = parsed(statements.backfill(SETTINGS, PIPELINE))
    assert isinstance(temporary, exp.Create)
    assert isinstance(copy, exp.Copy)
    assert isinstance(insert, exp.Insert)
    assert [join.side for join in insert.find_all(exp.Join)] == ["LEFT"]


@pytest.mark.parametrize("name", QUERIES)
def test_athenas_queries_read_the_pipelines_table_and_few_days(name: str) -> None:
    (query,) = parsed(statements.query(name, "prod", PIPELINE), "athena")
    assert isinstance(query, exp.Select)
    (table,) = query.find_all(exp.Table)
    assert (table.db, table.name) == ("tandem_prod", "logins")
    (where,) = query.find_all(exp.Where)
    assert "day" in {column.name for column in where.find_all(exp.Column)}


def test_the_sql_of_the_documentation_parses() -> None:
    page = (ROOT / "docs" / "analytics.md").read_text()
    shown = re.findall(r"```sql\n-- (Athena|Redshift)\n(.*?)```", page, re.DOTALL)
    assert len(shown) == page.count("```sql") > 0
    for service, sql in shown:
        assert not [each for each in parsed(sql, service.lower()) if isinstance(each, exp.Command)]


def found(question: str, table: str, columns: list[str]) -> bool:
    """Whether the query finds a row if a table has these columns."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("CREATE TABLE svv_columns (table_schema, table_name, ordinal_position, column_name)")
        rows = [("tandem_prod", table, number, name) for number, name in enumerate(columns, 1)]
        database.executemany("INSERT INTO svv_columns VALUES (?, ?, ?, ?)", rows)
        return bool(database.execute(question).fetchall())


def uncommented(sql: str) -> str:
    """Without its comment lines."""
    return "".join(line for line in sql.splitlines(keepends=True) if not line.startswith("--"))
