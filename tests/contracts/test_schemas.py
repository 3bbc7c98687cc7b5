"""Schema registries: the twin, Confluent's API over HTTP, and Glue on the emulator."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

import pytest

from functions.adapters.aws import Aws
from functions.adapters.confluent_registry import ConfluentRegistry
from functions.adapters.glue_registry import GlueRegistry
from functions.adapters.memory import MemorySchemas
from functions.core.errors import InvalidSetting, Refused, Unavailable
from functions.core.ports import Schemas
from functions.core.registries import NoSchema, SchemaId, SchemaType, WriterSchema
from tests.contracts.registry_server import RegistryServer, registry_server
from tests.contracts.twins import fresh

RECORD = '{"type": "record", "name": "a.Page", "fields": [{"name": "x", "type": "int"}]}'
TEXTS = {
    SchemaType.AVRO: RECORD,
    SchemaType.JSON: '{"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}',
    SchemaType.PROTOBUF: 'syntax = "proto3"; message A { string x = 1; }',
}


@dataclass(frozen=True)
class Registered:
    schemas: Schemas
    register: Callable[[SchemaType, str, str], SchemaId]
    unknown: SchemaId


@pytest.fixture(params=["memory", "confluent", "glue"])
def registered(request: pytest.FixtureRequest) -> Registered:
    """Return a registry, a function that registers a schema, and an ID that it does not know."""
    if request.param == "memory":
        memory = MemorySchemas()

        def keep(type_: SchemaType, text: str, subject: str) -> SchemaId:
            memory.subjects[subject] = len(memory.schemas)
            memory.schemas[len(memory.schemas)] = WriterSchema(type_, text)
            return len(memory.schemas) - 1

        return Registered(memory, keep, 99)
    if request.param == "confluent":
        server: RegistryServer = request.getfixturevalue("server")

        def post(type_: SchemaType, text: str, subject: str) -> SchemaId:
            schema_id = len(server.answers) + 1
            more = {} if type_ is SchemaType.AVRO else {"schemaType": type_.value}
            server.register(schema_id, subject, text, **more)
            return schema_id

        return Registered(ConfluentRegistry(server.url), post, 99)
    aws: Aws = request.getfixturevalue("aws")

    def create(type_: SchemaType, text: str, subject: str) -> SchemaId:
        created = aws.glue.create_schema(
            SchemaName=subject, DataFormat=type_.value, Compatibility="NONE", SchemaDefinition=text
        )
        return UUID(created["SchemaVersionId"])

    return Registered(GlueRegistry(aws.glue), create, uuid4())


@pytest.fixture
def server() -> Iterator[RegistryServer]:
    """A registry over HTTP."""
    with registry_server() as running:
        yield running


@pytest.mark.parametrize("type_", SchemaType)
def test_a_schema_is_found_as_it_was_registered(registered: Registered, type_: SchemaType) -> None:
    schema_id = registered.register(type_, TEXTS[type_], fresh("subject"))
    assert registered.schemas.get(schema_id) == WriterSchema(type_, TEXTS[type_])


@pytest.mark.parametrize("type_", SchemaType)
def test_the_latest_schema_of_a_subject(registered: Registered, type_: SchemaType) -> None:
    subject = fresh("subject")
    schema_id = registered.register(type_, TEXTS[type_], subject)
    assert registered.schemas.latest(subject) == (schema_id, WriterSchema(type_, TEXTS[type_]))


def test_an_unknown_subject_has_no_schema(registered: Registered) -> None:
    assert isinstance(registered.schemas.latest(fresh("subject")), NoSchema)


@pytest.mark.parametrize("answer", [{}, {"id": "7"}, {"id": True}, {"id": -1}, {"id": 8}, {"id": 1}])
def test_a_latest_schema_without_an_id_of_a_schema_is_none(server: RegistryServer, answer: dict[str, object]) -> None:
    server.register(1, "top", "TOP", schemaType="XML")
    server.answers["/subjects/top/versions/latest"] = answer
    assert isinstance(ConfluentRegistry(server.url).latest("top"), NoSchema)


def test_a_glue_schema_may_be_in_another_registry(aws: Aws) -> None:
    aws.glue.create_registry(RegistryName="other")
    created = aws.glue.create_schema(
        RegistryId={"RegistryName": "other"}, SchemaName="page", DataFormat="AVRO", Compatibility="NONE",
        SchemaDefinition=RECORD,
    )  # fmt: skip
    latest = GlueRegistry(aws.glue).latest("other/page")
    assert latest == (UUID(created["SchemaVersionId"]), WriterSchema(SchemaType.AVRO, RECORD))


def test_an_unknown_id_is_no_schema(registered: Registered) -> None:
    assert isinstance(registered.schemas.get(registered.unknown), NoSchema)


def test_an_id_of_another_registry_is_no_schema(server: RegistryServer, aws: Aws) -> None:
    assert isinstance(ConfluentRegistry(server.url).get(uuid4()), NoSchema)
    assert isinstance(ConfluentRegistry(server.url).get(2**31), NoSchema)
    assert isinstance(GlueRegistry(aws.glue).get(1), NoSchema)
    assert server.requests == []


def test_references_come_before_what_refers_to_them(server: RegistryServer) -> None:
    def reference(name: str) -> dict[str, object]:
        return {"name": name, "subject": f"sub/{name}", "version": 1}

    server.answers["/subjects/sub%2Fa/versions/1"] = {"schema": "A"}
    server.answers["/subjects/sub%2Fb/versions/1"] = {"schema": "B", "references": [reference("a"), reference("c")]}
    server.answers["/subjects/sub%2Fc/versions/1"] = {"schema": "C", "references": [reference("b")]}  # a circle
    server.register(1, "top", "TOP", references=[reference("b"), reference("a")])
    found = ConfluentRegistry(server.url).get(1)
    assert found == WriterSchema(SchemaType.AVRO, "TOP", (("a", "A"), ("c", "C"), ("b", "B")))


def test_the_credentials_are_sent(server: RegistryServer) -> None:
    registry = ConfluentRegistry(server.url + "/", b'{"username": "u", "password": "\xc3\xa4"}')
    registry.get(1)
    assert server.requests == [("/schemas/ids/1", "Basic dTrDpA==")]
    assert "password" not in repr(registry)
    with pytest.raises(InvalidSetting, match="TANDEM_REGISTRY_FROM: expected"):
        ConfluentRegistry(server.url, b'{"user": "u"}').get(1)


JSON, HTML = "application/json", "text/html"


@pytest.mark.parametrize(
    ("status", "content_type", "body", "error"),
    [
        (500, JSON, b'{"error_code": 50001}', Unavailable),
        (503, HTML, b"", Unavailable),
        (429, JSON, b"{}", Unavailable),
        (302, HTML, b"", Unavailable),
        (301, JSON, b"", Unavailable),
        (200, HTML, b"<html>log in</html>", Unavailable),
        (401, JSON, b'{"error_code": 401}', Refused),
        (403, HTML, b"", Refused),
        (404, HTML, b"no such page", Refused),
        (404, JSON, b'{"error_code": 404}', Refused),
        (404, JSON, b"[" * 100_000, Refused),
    ],
)
def test_trouble_of_the_registry_rejects_no_record(
    server: RegistryServer, status: int, content_type: str, body: bytes, error: type[Exception]
) -> None:
    server.register(1, "s", RECORD)
    server.faults.append((status, content_type, body))
    registry = ConfluentRegistry(server.url)
    with pytest.raises(error, match=f"schema registry: GET /schemas/ids/1: status {status}"):
        registry.get(1)
    assert registry.get(1) == WriterSchema(SchemaType.AVRO, RECORD)
    assert [path for path, _ in server.requests] == ["/schemas/ids/1"] * 2  # no redirect was followed


@pytest.mark.parametrize(
    "body",
    [
        b"", b"nonsense", b"[]", b"7", b"{}", b'{"schema": 7}', b'{"schema": "x", "schemaType": "XML"}',
        b'{"schema": "x", "schemaType": {}}', b'{"schema": "x", "references": 7}',
        b'{"schema": "x", "references": [7]}', b'{"schema": "x", "references": [{"name": "a"}]}',
        b'{"schema": "x", "references": [{"name": "a", "subject": "none", "version": 1}]}',
        b"[" * 100_000, b'{"schema": "' + b"x" * 5_000_000 + b'"}',
    ],
    ids=range(14),
)  # fmt: skip
def test_nonsense_about_one_id_is_no_schema(server: RegistryServer, body: bytes) -> None:
    server.faults.append((200, JSON, body))
    assert isinstance(ConfluentRegistry(server.url).get(1), NoSchema)


def test_too_many_references_are_no_schema(server: RegistryServer) -> None:
    for number in range(300):
        reference = {"name": "n", "subject": f"s{number + 1}", "version": 1}
        server.register(number, f"s{number}", "x", references=[reference])
    assert ConfluentRegistry(server.url).get(0) == NoSchema("it refers to more than 200 schemas")


def test_an_answer_that_drips_is_given_up(server: RegistryServer) -> None:
    server.register(1, "s", RECORD)
    server.drip_seconds = 0.1
    with pytest.raises(Unavailable, match=r"no complete answer in 0\.3 s"):
        replace(ConfluentRegistry(server.url), max_seconds=0.3).get(1)


def test_a_registry_that_cannot_be_reached_is_unavailable() -> None:
    with registry_server() as stopped:
        url = stopped.url
    with pytest.raises(Unavailable, match="schema registry: GET /schemas/ids/1: NewConnectionError"):
        ConfluentRegistry(url).get(1)
