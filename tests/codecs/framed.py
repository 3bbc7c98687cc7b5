"""Values as the registries' serializers frame them, in the documented formats, around bytes of other encoders."""

import io
import json
import struct
import zlib
from dataclasses import replace
from typing import Any
from uuid import UUID

import fastavro
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2

from functions.core.codecs import Codec
from functions.core.evaluate import Evaluation, evaluate
from functions.core.registries import KnownSchemas
from functions.core.slice import Headers
from tests.unit.core.clicks import KEY, pipeline, slice_of

UUID_ = UUID("0af4f6e7-6e07-4a6d-9e0f-6b1f0b6a8b11")
FIELD = descriptor_pb2.FieldDescriptorProto


def evaluated(
    codec: Codec, *values: bytes | None, schemas: KnownSchemas | None = None, headers: Headers = (), **changes: Any
) -> Evaluation:
    """Evaluate records of the small pipeline, whose event has user, at and page."""
    records = replace(slice_of(*values), headers=[headers] * len(values))
    return evaluate(pipeline(codec=codec, **changes), records, KEY, schemas or {})


def detail(codec: Codec, value: bytes, schemas: KnownSchemas | None = None, **changes: Any) -> str:
    """Return why a value is rejected."""
    evaluation = evaluated(codec, value, schemas=schemas, **changes)
    (rejection,) = evaluation.rejections
    return f"{rejection.reason.value}: {rejection.detail}"


def confluent(schema_id: int, payload: bytes, indexes: bytes = b"") -> bytes:
    return struct.pack(">bI", 0, schema_id) + indexes + payload


def glue(payload: bytes, *, compressed: bool = False) -> bytes:
    return struct.pack(">BB16s", 3, 5 if compressed else 0, UUID_.bytes) + (
        zlib.compress(payload) if compressed else payload
    )


def avro(schema: Any, value: Any) -> bytes:
    stream = io.BytesIO()
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), value)
    return stream.getvalue()


def text(schema: Any) -> str:
    return json.dumps(schema)


PROTO = """
syntax = "proto3";  // message Never {}
package shop.v1;
/* message Neither { */
import "google/protobuf/timestamp.proto";
option java_package = "message Nor {";
message Other { message Inner { int32 x = 1; } map<string, int32> a_map = 2; message After {} }
message Click {
  string user = 1;
  int64 at = 2;
  optional string page = 3;
  repeated Click inner = 4;
  map<string, Kind> kinds = 5;
  Kind kind = 6;
  bytes raw = 7;
  google.protobuf.Timestamp when = 8;
  enum Kind { NONE = 0; SOME = 1; }
}
"""


def _file() -> descriptor_pb2.FileDescriptorProto:
    """Build the descriptor of PROTO, as protoc does."""
    file = descriptor_pb2.FileDescriptorProto(name="click.proto", package="shop.v1", syntax="proto3")
    file.dependency.append("google/protobuf/timestamp.proto")
    other = file.message_type.add(name="Other")
    other.nested_type.add(name="Inner").field.add(name="x", number=1, type=FIELD.TYPE_INT32, label=1)
    entry = other.nested_type.add(name="AMapEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=FIELD.TYPE_STRING, label=1)
    entry.field.add(name="value", number=2, type=FIELD.TYPE_INT32, label=1)
    other.field.add(name="a_map", number=2, type=FIELD.TYPE_MESSAGE, label=3, type_name=".shop.v1.Other.AMapEntry")
    other.nested_type.add(name="After")
    click = file.message_type.add(name="Click")
    click.oneof_decl.add(name="_page")
    click.field.add(name="user", number=1, type=FIELD.TYPE_STRING, label=1)
    click.field.add(name="at", number=2, type=FIELD.TYPE_INT64, label=1)
    click.field.add(name="page", number=3, type=FIELD.TYPE_STRING, label=1, oneof_index=0, proto3_optional=True)
    click.field.add(name="inner", number=4, type=FIELD.TYPE_MESSAGE, label=3, type_name=".shop.v1.Click")
    kinds = click.nested_type.add(name="KindsEntry")
    kinds.options.map_entry = True
    kinds.field.add(name="key", number=1, type=FIELD.TYPE_STRING, label=1)
    kinds.field.add(name="value", number=2, type=FIELD.TYPE_ENUM, label=1, type_name=".shop.v1.Click.Kind")
    click.field.add(name="kinds", number=5, type=FIELD.TYPE_MESSAGE, label=3, type_name=".shop.v1.Click.KindsEntry")
    click.field.add(name="kind", number=6, type=FIELD.TYPE_ENUM, label=1, type_name=".shop.v1.Click.Kind")
    click.field.add(name="raw", number=7, type=FIELD.TYPE_BYTES, label=1)
    when = ".google.protobuf.Timestamp"
    click.field.add(name="when", number=8, type=FIELD.TYPE_MESSAGE, label=1, type_name=when)
    kind = click.enum_type.add(name="Kind")
    kind.value.add(name="NONE", number=0)
    kind.value.add(name="SOME", number=1)
    return file


POOL = descriptor_pool.Default()
POOL.AddSerializedFile(timestamp_pb2.DESCRIPTOR.serialized_pb)
POOL.AddSerializedFile(_file().SerializeToString())
Click: Any = message_factory.GetMessageClass(POOL.FindMessageTypeByName("shop.v1.Click"))
Other: Any = message_factory.GetMessageClass(POOL.FindMessageTypeByName("shop.v1.Other"))
