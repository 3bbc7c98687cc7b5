"""Schemas from AWS Glue's Schema Registry, in the region of the process."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from botocore.exceptions import ClientError

from functions.adapters.aws_errors import calling, code
from functions.core.registries import NoSchema, SchemaId, SchemaType, WriterSchema

DEFAULT_REGISTRY: Final = "default-registry"  # AWS Glue documentation, "CreateSchema"


@dataclass(frozen=True, slots=True)
class GlueRegistry:
    """Schema versions by their UUID. Glue knows no references between schemas."""

    client: Any  # botocore's

    def get(self, schema_id: SchemaId) -> WriterSchema | NoSchema:
        """See ports.Schemas."""
        if not isinstance(schema_id, UUID):
            return NoSchema("Glue's IDs are UUIDs")
        found = self._version(SchemaVersionId=str(schema_id))
        return found if isinstance(found, NoSchema) else found[1]

    def latest(self, subject: str) -> tuple[SchemaId, WriterSchema] | NoSchema:
        """See ports.Schemas. `subject`: a schema's name, or REGISTRY/NAME."""
        registry, _, name = subject.rpartition("/")
        schema = {"RegistryName": registry or DEFAULT_REGISTRY, "SchemaName": name}
        return self._version(SchemaId=schema, SchemaVersionNumber={"LatestVersion": True})

    def _version(self, **which: Any) -> tuple[SchemaId, WriterSchema] | NoSchema:  # noqa: ANN401 - Glue's parameters
        with calling("Glue"):
            try:
                answer = self.client.get_schema_version(**which)
            except ClientError as error:
                if code(error) != "EntityNotFoundException":
                    raise
                return NoSchema("Glue has none")
        try:
            schema = WriterSchema(SchemaType(answer["DataFormat"]), str(answer["SchemaDefinition"]))
            return UUID(answer["SchemaVersionId"]), schema
        except (KeyError, ValueError):
            return NoSchema("Glue's answer has no schema of a known type")
