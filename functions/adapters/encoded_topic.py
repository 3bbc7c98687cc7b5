"""A topic whose messages have a registered schema: rows are encoded by it, and the value names it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from functions.core.codecs import Codec
from functions.core.effects import Message
from functions.core.errors import Incomplete, Refused, Undecodable
from functions.core.pipeline import AnyPipeline
from functions.core.ports import Refusal, Schemas, TopicWriter
from functions.core.registries import NoSchema, Registry
from functions.core.sinks import Topic

Encode = Callable[[Any], bytes]


@dataclass(slots=True)
class EncodedTopic:
    """Encodes rows by the latest schema of the topic's subject, and sends them through `writer`.

    A process looks the schema up once, before its first message; a newer one is used by the next process.
    """

    writer: TopicWriter
    sink: Topic
    codec: Codec
    registry: Registry
    schemas: Schemas
    fields: Sequence[str]
    _encode: Encode | None = None

    def send(self, messages: Sequence[Message]) -> Sequence[Refusal]:
        """See ports.TopicWriter. Raises Refused if there is no schema, or none that holds the row's fields."""
        encode = self._encode = self._encode or self._encoder()
        encoded: list[tuple[int, Message]] = []
        refusals: list[Refusal] = []
        for index, message in enumerate(messages):
            try:
                encoded.append((index, message._replace(value=encode(message.value))))
            except Undecodable as error:
                refusals.append(Refusal(index, str(error)))
        try:
            refused = self.writer.send([message for _, message in encoded])
        except Incomplete as error:
            left = {id(message) for message in error.remaining}
            rest = {index for index, message in encoded if id(message) in left} | {each.index for each in refusals}
            raise Incomplete(str(error), [messages[index] for index in sorted(rest)]) from error
        return refusals + [Refusal(encoded[each.index][0], each.detail) for each in refused]

    def _encoder(self) -> Encode:
        registry = self.registry
        subject = self.sink.subject or registry.subject(self.sink.name)
        found = self.schemas.latest(subject)
        if isinstance(found, NoSchema):
            raise Refused(f"topic {self.sink.name}: {registry.name}: subject {subject}: {found.detail}")
        schema_id, schema = found
        try:
            write = self.codec.writer(schema, self.fields)
        except Undecodable as error:
            raise Refused(f"topic {self.sink.name}: schema {schema_id} of subject {subject}: {error}") from None

        def encode(row: Mapping[str, Any]) -> bytes:
            return registry.framed(schema_id, write(row))

        return encode


def topic_writer(
    writer: TopicWriter, sink: Topic, pipeline: AnyPipeline, schemas: Mapping[str, Schemas]
) -> TopicWriter:
    """Return the writer itself for JSON, or one that encodes rows. `schemas`: the pipeline's registries by name."""
    if sink.codec is None or sink.codec.registry_used is None:
        return writer
    return EncodedTopic(
        writer, sink, sink.codec, sink.codec.registry_used, schemas[sink.codec.registry_used.name],
        tuple(field.name for field in pipeline.schema.fields),
    )  # fmt: skip
