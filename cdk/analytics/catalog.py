"""The lake's tables in Glue's catalog: one for each pipeline with a lake, with projected days and no crawler.

Athena computes the location of a day's objects instead of reading it (Athena documentation, "Partition projection").
"""

from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_glue as glue
from aws_cdk import aws_s3 as s3

from cdk import names
from cdk.analytics.columns import glue_columns
from cdk.config import StageConfig
from functions.core.pipeline import AnyPipeline

PARQUET: Final = "org.apache.hadoop.hive.ql.io.parquet"
FIRST_DAY: Final = "2026-01-01"  # no object is older than Tandem
MAX_EXPIRY_DELAY: Final = 2  # days by which S3 may be late to expire an object


def catalog(stack: Stack, stage: StageConfig) -> glue.CfnDatabase:
    """The Glue database of the stage."""
    return glue.CfnDatabase(
        stack,
        "Catalog",
        catalog_id=stack.account,
        database_input=glue.CfnDatabase.DatabaseInputProperty(
            name=names.database(stage.name), description=f"The rows of Tandem's pipelines, stage {stage.name}"
        ),
    )


def lake_table(
    stack: Stack, stage: StageConfig, pipeline: AnyPipeline, lake: s3.IBucket, database: glue.CfnDatabase
) -> glue.CfnTable:
    """The Glue table of a pipeline: the columns of its Parquet files, and the day of their path."""
    table = glue.CfnTable(
        stack,
        f"Lake-{pipeline.name}",
        catalog_id=stack.account,
        database_name=names.database(stage.name),
        table_input=glue.CfnTable.TableInputProperty(
            name=names.lake_table(pipeline.name),
            description=f"Rows of {pipeline.name}, each once; _partition and _offset say which record it came from",
            table_type="EXTERNAL_TABLE",
            partition_keys=[glue.CfnTable.ColumnProperty(name="day", type="string", comment="UTC, when settled")],
            parameters={"EXTERNAL": "TRUE", "classification": "parquet"} | _projection(stage, pipeline, lake),
            storage_descriptor=_storage(pipeline, lake),
        ),
    )
    table.node.add_dependency(database)
    return table


def _projection(stage: StageConfig, pipeline: AnyPipeline, lake: s3.IBucket) -> dict[str, str]:
    expiry = stage.lake.expire_after_days
    first = f"NOW-{expiry + MAX_EXPIRY_DELAY}DAYS" if expiry else FIRST_DAY
    return {
        "projection.enabled": "true",
        "projection.day.type": "date",
        "projection.day.format": "yyyy-MM-dd",
        "projection.day.range": f"{first},NOW+1DAYS",  # of the settling process's clock, which can be ahead
        "projection.day.interval": "1",
        "projection.day.interval.unit": "DAYS",
        "storage.location.template": f"{_location(pipeline, lake)}day=${{day}}/",
    }


def _storage(pipeline: AnyPipeline, lake: s3.IBucket) -> glue.CfnTable.StorageDescriptorProperty:
    columns = glue_columns(pipeline.schema, history=pipeline.keeps_history)
    return glue.CfnTable.StorageDescriptorProperty(
        columns=[glue.CfnTable.ColumnProperty(name=name, type=type_) for name, type_ in columns],
        location=_location(pipeline, lake),
        input_format=f"{PARQUET}.MapredParquetInputFormat",
        output_format=f"{PARQUET}.MapredParquetOutputFormat",
        serde_info=glue.CfnTable.SerdeInfoProperty(serialization_library=f"{PARQUET}.serde.ParquetHiveSerDe"),
    )


def _location(pipeline: AnyPipeline, lake: s3.IBucket) -> str:
    return f"s3://{lake.bucket_name}/{pipeline.name}/"
