"""Schema registries: which one a codec uses, how it frames a value, and what is known about the schemas it names.

Confluent's framing: 0x00, the schema's ID in 4 bytes. Source: Confluent documentation, "Formats, Serializers, and
Deserializers", section "Wire format". AWS Glue's: 0x03, a byte for the compression (0 or 5 = zlib), the UUID of the
schema version in 16 bytes. Source: awslabs/aws-glue-schema-registry, AWSSchemaRegistryConstants.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol, cast
from uuid import UUID

from functions.core.errors import Undecodable
from functions.core.framing import looks_like
from functions.core.inflating import MAX_INFLATED_BYTES, inflate

SchemaId = int | UUID
CONFLUENT_BYTES: Final = 5
GLUE_BYTES: Final = 18


class SchemaType(Enum):
    """The type of a schema. The values are those of both registries' APIs."""

    AVRO = "AVRO"
    PROTOBUF = "PROTOBUF"
    JSON = "JSON"


@dataclass(frozen=True, slots=True)
class WriterSchema:
    """A registered schema.

    `references`: name and text of each schema that it refers to, in an order in which each refers only to those before.
    """

    type: SchemaType
    text: str
    references: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NoSchema:
    """The registry has no usable schema of an ID, and why."""

    detail: str


KnownSchemas = Mapping[SchemaId, WriterSchema | NoSchema]


class Registry(Protocol):
    """How a registry frames values and keys."""

    @property
    def name(self) -> str:
        """The name of the registry's port."""

    def schema_id(self, data: bytes) -> SchemaId | None:
        """Return the ID that the framing names; None if it is not this registry's framing. 18 bytes are enough."""

    def payload(self, data: bytes) -> bytes:
        """Return the bytes after the framing, decompressed. Raises Undecodable for another framing."""

    def framed(self, schema_id: SchemaId, payload: bytes) -> bytes:
        """Return bytes that name the schema, and then hold `payload`."""

    def subject(self, topic: str) -> str:
        """Return the name under which producers register the schema of a topic's values, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Confluent:
    """Confluent's Schema Registry, or one that speaks its API. Settings: TANDEM_REGISTRY_URL, TANDEM_REGISTRY_FROM."""

    @property
    def name(self) -> str:
        """See Registry."""
        return "confluent"

    def schema_id(self, data: bytes) -> SchemaId | None:
        """See Registry."""
        framed = len(data) >= CONFLUENT_BYTES and data[0] == 0
        return int.from_bytes(data[1:CONFLUENT_BYTES]) if framed else None

    def payload(self, data: bytes) -> bytes:
        """See Registry."""
        if self.schema_id(data) is None:
            raise Undecodable(f"expected Confluent's framing, got {looks_like(data) or 'neither 0x00 nor a schema ID'}")
        return data[CONFLUENT_BYTES:]

    def framed(self, schema_id: SchemaId, payload: bytes) -> bytes:
        """See Registry."""
        return b"\0" + cast("int", schema_id).to_bytes(CONFLUENT_BYTES - 1) + payload

    def subject(self, topic: str) -> str:
        """See Registry: Confluent's TopicNameStrategy."""
        return f"{topic}-value"


@dataclass(frozen=True, slots=True)
class Glue:
    """AWS Glue's Schema Registry in the region of the process."""

    max_bytes: int = MAX_INFLATED_BYTES
    """The most bytes of a decompressed value."""

    @property
    def name(self) -> str:
        """See Registry."""
        return "glue"

    def schema_id(self, data: bytes) -> SchemaId | None:
        """See Registry."""
        framed = len(data) >= GLUE_BYTES and data[0] == 3 and data[1] in {0, 5}  # noqa: PLR2004 - see above
        return UUID(bytes=data[2:GLUE_BYTES]) if framed else None

    def payload(self, data: bytes) -> bytes:
        """See Registry."""
        if self.schema_id(data) is None:
            raise Undecodable(f"expected Glue's framing, got {looks_like(data) or 'neither 0x03 nor a schema UUID'}")
        payload = data[GLUE_BYTES:]
        return inflate(payload, self.max_bytes, zlib.MAX_WBITS) if data[1] else payload

    def framed(self, schema_id: SchemaId, payload: bytes) -> bytes:
        """See Registry. Not compressed: Kafka's batches are."""
        return b"\3\0" + cast("UUID", schema_id).bytes + payload

    def subject(self, topic: str) -> str:
        """See Registry: Glue's serializers name the schema like the topic. REGISTRY/NAME is one of another registry."""
        return topic


def registry_name(schema_id: SchemaId) -> str:
    """Return the name of the registry whose IDs are of this type."""
    return "glue" if isinstance(schema_id, UUID) else "confluent"


def writer_schema(schemas: KnownSchemas, registry: Registry, data: bytes, expected: SchemaType) -> WriterSchema:
    """Return the schema that bytes with a registry's framing name. Raises Undecodable if it cannot be used."""
    schema_id = registry.schema_id(data)
    schema = None if schema_id is None else schemas.get(schema_id)
    if not isinstance(schema, WriterSchema):
        detail = schema.detail if schema else "it was not looked up"
        raise Undecodable(f"unknown schema {schema_id} ({registry.name}): {detail}")
    if schema.type is not expected:
        raise Undecodable(f"schema {schema_id} is {schema.type.value}, but the codec is for {expected.value}")
    return schema
