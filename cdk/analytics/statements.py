"""The SQL of cdk/analytics/sql with its ${slots} filled in. Each file holds what one service runs, and says why."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from cdk.analytics.columns import redshift_columns
from functions.core import names
from functions.core.kinds import ListOf, Struct
from functions.core.pipeline import AnyPipeline

SQL: Final = Path(__file__).with_name("sql")
QUERIES: Final = {
    "rows_per_day": "Rows and objects of each day of the last thirty",
    "progress": "How far each partition came, and how many of its offsets are no rows",
    "duplicates": "Rows that are in the lake twice: there are none",
}


@dataclass(frozen=True)
class Place:
    """Where Redshift loads from and to; ARN and bucket may be CDK's tokens."""

    stage: str
    bucket: str
    role_arn: str


@dataclass(frozen=True)
class Statement:
    """SQL to run, unless the query `unless` finds a row."""

    sql: str
    unless: str = ""


def filled(name: str, **slots: object) -> str:
    """The SQL of a file; KeyError for a slot that is not given."""
    return Template((SQL / f"{name}.sql").read_text(encoding="utf-8")).substitute(slots)


def query(name: str, stage: str, pipeline: AnyPipeline) -> str:
    """One of QUERIES for Athena, on a pipeline's table."""
    return filled(name, database=names.database(stage), table=names.lake_table(pipeline.name))


def warehouse(place: Place, pipelines: Sequence[AnyPipeline]) -> list[Statement]:
    """What makes the schema, and for each pipeline its table and its copy job. Running it again changes nothing."""
    tables = [statement for pipeline in pipelines for statement in (_table(place, pipeline), _job(place, pipeline))]
    return [Statement(filled("schema", schema=names.database(place.stage))), *tables]


def backfill(place: Place, pipeline: AnyPipeline) -> str:
    """Several statements for people to run, see the file."""
    return filled("backfill", **_slots(place, pipeline))


def _table(place: Place, pipeline: AnyPipeline) -> Statement:
    columns = redshift_columns(pipeline.schema)
    declared = ",\n    ".join(f'"{name}" {kind}' for name, kind in columns)
    matches = " OR ".join(
        f"(ordinal_position = {number} AND column_name = '{name}')" for number, (name, _) in enumerate(columns, 1)
    )
    where = _slots(place, pipeline)
    return Statement(
        filled("table", **where, columns=declared),
        filled("table_is_there", **where, count=len(columns), matches=matches),
    )


def _job(place: Place, pipeline: AnyPipeline) -> Statement:
    where = _slots(place, pipeline)
    return Statement(filled("job", **where), filled("job_is_there", **where))


def _slots(place: Place, pipeline: AnyPipeline) -> dict[str, object]:
    table = names.lake_table(pipeline.name)
    nested = any(isinstance(field.kind, ListOf | Struct) for field in pipeline.schema.fields)
    return {
        "schema": names.database(place.stage),
        "table": table,
        "job": f"load_{table}",  # Redshift takes no hyphens there
        "pipeline": pipeline.name,
        "bucket": place.bucket,
        "role": place.role_arn,
        "format": "FORMAT AS PARQUET" + (" SERIALIZETOJSON" if nested else ""),  # which fills SUPER columns
    }
