"""Every codec decodes to msgspec's models as to pydantic's: the same rows, and rejects for the same reasons."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from functions.codecs.avro import Avro
from functions.codecs.json_schema import JsonSchema
from functions.codecs.protobuf import Protobuf
from functions.codecs.zstd import Zstd
from functions.core.codecs import Codec, Json
from functions.core.compression import Gzip
from functions.core.evaluate import Evaluation
from functions.core.masking import Masked
from functions.core.registries import Confluent, KnownSchemas, SchemaType, WriterSchema
from tests.codecs import framed
from tests.codecs.framed import Click, avro, confluent, text
from tests.unit.core.clicks import click

SCHEMA: dict[str, Any] = {
    "type": "record", "name": "Click",
    "fields": [
        {"name": "user", "type": ["string", "long"]}, {"name": "at", "type": "long"},
        {"name": "page", "type": ["null", "string"]},
    ],
}  # fmt: skip
WRONG = {**SCHEMA, "fields": SCHEMA["fields"][:1]}
LONG = '{"properties": {"user": {"minLength": 3}}}'
SCHEMAS: KnownSchemas = {
    1: WriterSchema(SchemaType.AVRO, text(SCHEMA)),
    2: WriterSchema(SchemaType.AVRO, text(WRONG)),
    3: WriterSchema(SchemaType.JSON, LONG),
}
ADA = {"user": "ada", "at": 60, "page": "p"}
JSON_VALUES = [click("ada").encode(), click("x").encode(), b"{", b"{}", b"", b'{"user": 5, "at": 1}', b"\xff"]


class StructClick(msgspec.Struct):
    user: str
    at: int
    page: str | None = None
    secret: str = "s"


class StructRow(msgspec.Struct):
    user: str
    at: datetime
    page: str | None
    secret: Masked
    big: int = 0


def process(event: StructClick) -> StructRow:
    return StructRow(event.user, datetime.fromtimestamp(event.at, UTC), event.page, event.secret)


def both(codec: Codec, *values: bytes) -> tuple[Evaluation, Evaluation]:
    structs: dict[str, Any] = {"event": StructClick, "row": StructRow, "process": process}
    return (
        framed.evaluated(codec, *values, schemas=SCHEMAS),
        framed.evaluated(codec, *values, schemas=SCHEMAS, **structs),
    )


@pytest.mark.parametrize(
    ("codec", "values"),
    [
        (Json(), JSON_VALUES),
        (JsonSchema(schema=LONG), JSON_VALUES),
        (JsonSchema(Confluent()), [confluent(3, value) for value in JSON_VALUES]),
        (Gzip(Json()), JSON_VALUES),
        (Zstd(Json()), JSON_VALUES),
        (Avro(schema=text(SCHEMA)), [avro(SCHEMA, ADA), b"", avro(SCHEMA, ADA | {"user": 5})]),
        (Avro(Confluent()), [confluent(1, avro(SCHEMA, ADA)), confluent(2, avro(WRONG, ADA)), b"{}"]),
        (Protobuf(Click), [Click(user="ada", at=60, page="p").SerializeToString(), b"", b"\xff\xff"]),
    ],
    ids=["json", "json schema", "registered json schema", "gzip", "zstd", "avro", "registered avro", "protobuf"],
)
def test_rows_and_reasons_are_those_of_pydantics_models(codec: Codec, values: list[bytes]) -> None:
    of_pydantic, of_structs = both(codec, *values)
    assert of_structs.rows == of_pydantic.rows
    reasons = [
        [(rejection.index, rejection.reason) for rejection in evaluation.rejections]
        for evaluation in (of_pydantic, of_structs)
    ]
    assert reasons[0] == reasons[1]
    assert len(of_structs.rows) + len(of_structs.rejections) == len(values)


def test_a_wrong_value_of_a_format_names_the_field() -> None:
    _, of_structs = both(Avro(schema=text(SCHEMA)), avro(SCHEMA, ADA | {"user": 5}))
    (rejection,) = of_structs.rejections
    assert rejection.detail == "user: Expected `str`, got `int`"
