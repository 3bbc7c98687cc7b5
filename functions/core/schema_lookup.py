"""Looks up the schemas that a slice names, before it is evaluated.

So evaluation is pure, and a registry that does not answer is a retry of the slice and no reject.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from functions.core.codecs import Codec
from functions.core.foreign import PROCESS_ERRORS
from functions.core.pipeline import AnyPipeline, Tombstones
from functions.core.ports import Schemas
from functions.core.registries import KnownSchemas, NoSchema, SchemaId, WriterSchema, registry_name
from functions.core.slice import Headers, Slice

MAX_CACHED: Final = 1_000  # schemas
NONE: Final[KnownSchemas] = {}


@dataclass(slots=True)
class SchemaCache:
    """The schemas that were found, for the life of a process. An unknown ID is looked up again in the next slice."""

    _found: dict[SchemaId, WriterSchema] = field(default_factory=dict)

    def of(self, pipeline: AnyPipeline, slice_: Slice, registries: Mapping[str, Schemas]) -> KnownSchemas:
        """Return what the registries know about the slice's schemas. Raises what Schemas.get raises.

        Partitions may call this in parallel. Schemas found before an error are kept, so a retry continues.
        """
        if all(codec.registry_used is None for codec in pipeline.codecs):
            return NONE
        schemas: dict[SchemaId, WriterSchema | NoSchema] = {}
        for schema_id in schema_ids(pipeline, slice_):
            schema = self._found.get(schema_id) or registries[registry_name(schema_id)].get(schema_id)
            if isinstance(schema, WriterSchema):
                self._keep(schema_id, schema)
            schemas[schema_id] = schema
        return schemas

    def _keep(self, schema_id: SchemaId, schema: WriterSchema) -> None:
        if len(self._found) >= MAX_CACHED:
            self._found = {}
        self._found[schema_id] = schema


def schema_ids(pipeline: AnyPipeline, slice_: Slice) -> list[SchemaId]:
    """Return the ID of each schema that decoding a slice needs, once, in the order of the records."""
    return list(dict.fromkeys(_named(pipeline, slice_)))


def _named(pipeline: AnyPipeline, slice_: Slice) -> Iterator[SchemaId]:
    key_codec = pipeline.key_codec if isinstance(pipeline.key_codec, Codec) else None
    deletes = pipeline.tombstones is Tombstones.DELETE
    for key, value, headers in zip(slice_.keys, slice_.values, slice_.headers, strict=True):
        if value is not None:
            yield from _id(pipeline.codec, value, headers)
        if key_codec is not None and key is not None and (pipeline.takes_record or (value is None and deletes)):
            yield from _id(key_codec, key, headers)


def _id(codec: Codec, data: bytes, headers: Headers) -> Iterator[SchemaId]:
    try:
        schema_id = codec.schema_id(data, headers)
    except PROCESS_ERRORS:
        raise
    except BaseException:  # noqa: BLE001 - a codec may raise anything: the record is rejected when it is decoded
        return
    if schema_id is not None:
        yield schema_id
