"""The SQL files of cdk/analytics/sql with their ${slots} filled in. Each file has a comment that explains it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from cdk import names
from cdk.analytics.columns import redshift_columns
from functions.core.column_types import ListOf, Struct
from functions.core.pipeline import AnyPipeline

SQL: Final = Path(__file__).with_name("sql")
QUERIES: Final = {
    "rows_per_day": "Rows and objects of each day of the last thirty",
    "progress": "How far each partition came, and how many of its offsets are no rows",
    "duplicates": "Rows that are in the lake twice: there are none",
}


@dataclass(frozen=True)
class LoadSettings:
    """What Redshift's statements need of a stage: bucket and role may be CDK's tokens."""

    stage: str
    bucket: str
    role_arn: str


@dataclass(frozen=True)
class Statement:
    """SQL to run, unless the query `unless` finds a row."""

    sql: str
    unless: str = ""


def fill(name: str, **slots: object) -> str:
    """The SQL of a file with its slots filled in. Raises KeyError for a missing slot."""
    return Template((SQL / f"{name}.sql").read_text(encoding="utf-8")).substitute(slots)


def query(name: str, stage: str, pipeline: AnyPipeline) -> str:
    """The SQL of one of QUERIES, for a pipeline's table."""
    return fill(name, database=names.database(stage), table=names.lake_table(pipeline.name))


def warehouse_statements(load_settings: LoadSettings, pipelines: Sequence[AnyPipeline]) -> list[Statement]:
    """The statements that create the schema, and for each pipeline its table and copy job. They are idempotent."""
    tables = [
        statement
        for pipeline in pipelines
        for statement in (_table(load_settings, pipeline), _job(load_settings, pipeline))
    ]
    return [Statement(fill("schema", schema=names.database(load_settings.stage))), *tables]


def backfill(load_settings: LoadSettings, pipeline: AnyPipeline) -> str:
    """The statements of sql/backfill.sql for a pipeline. An operator runs them."""
    return fill("backfill", **_slots(load_settings, pipeline))


def _table(load_settings: LoadSettings, pipeline: AnyPipeline) -> Statement:
    columns = redshift_columns(pipeline.schema, history=pipeline.keeps_history)
    column_list = ",\n    ".join(f'"{name}" {type_}' for name, type_ in columns)
    matches = " OR ".join(
        f"(ordinal_position = {number} AND column_name = '{name}')" for number, (name, _) in enumerate(columns, 1)
    )
    slots = _slots(load_settings, pipeline)
    return Statement(
        fill("table", **slots, columns=column_list),
        fill("table_is_there", **slots, count=len(columns), matches=matches),
    )


def _job(load_settings: LoadSettings, pipeline: AnyPipeline) -> Statement:
    slots = _slots(load_settings, pipeline)
    return Statement(fill("job", **slots), fill("job_is_there", **slots))


def _slots(load_settings: LoadSettings, pipeline: AnyPipeline) -> dict[str, object]:
    table = names.lake_table(pipeline.name)
    nested = any(isinstance(field.column_type, ListOf | Struct) for field in pipeline.schema.fields)
    return {
        "schema": names.database(load_settings.stage),
        "table": table,
        "job": f"load_{table}",  # a job's name may not contain hyphens
        "pipeline": pipeline.name,
        "bucket": load_settings.bucket,
        "role": load_settings.role_arn,
        "format": "FORMAT AS PARQUET" + (" SERIALIZETOJSON" if nested else ""),  # needed for SUPER columns
    }
