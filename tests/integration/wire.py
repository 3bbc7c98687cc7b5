"""Kafka's produce request without a client, for records that no client sends. Sources: KIP-98, the protocol guide."""

import socket
from struct import pack, unpack_from

from tests.integration.waiting import PATIENCE


def produce(bootstrap: str, topic: str, partition: int, value: bytes, header_name: bytes) -> None:
    """Produce a record with one header; `bootstrap` is the partition's leader. AssertionError if it is refused."""
    batch = _batch(_record(value, header_name))
    name = _string(topic)
    body = pack(">hhi", -1, -1, 60_000) + pack(">i", 1) + name + pack(">iii", 1, partition, len(batch)) + batch
    request = pack(">hhi", 0, 3, 1) + _string("test") + body
    host, _, port = bootstrap.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(pack(">i", len(request)) + request)
        answer = connection.makefile("rb").read(4 + 4 + 4 + len(name) + 4 + 4 + 2)
    (error,) = unpack_from(">h", answer, len(answer) - 2)
    assert error == 0, f"the broker answers with error {error}"


def _record(value: bytes, header_name: bytes) -> bytes:
    header = _varint(1) + _varint(len(header_name)) + header_name + _varint(1) + b"v"
    body = b"\0" + _varint(0) + _varint(0) + _varint(-1) + _varint(len(value)) + value + header
    return _varint(len(body)) + body


def _batch(record: bytes) -> bytes:
    now = 1_767_225_600_000
    checked = pack(">hiqqqhii", 0, 0, now, now, -1, -1, -1, 1) + record
    rest = pack(">ibI", -1, 2, _crc32c(checked)) + checked
    return pack(">qi", 0, len(rest)) + rest


def _varint(number: int) -> bytes:
    left, out = (number << 1) ^ (number >> 63), bytearray()
    while left > 0x7F:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*out, left])


def _string(text: str) -> bytes:
    return pack(">h", len(text)) + text.encode()


def _crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF
