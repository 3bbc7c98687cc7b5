"""What bytes look like that a codec cannot decode: the hint in a rejection, for a codec that was declared wrong."""

from typing import Final

JSON: Final = "JSON"
MAGIC: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"Obj\x01", "an Avro file"),
)
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
CONFLUENT_BYTES: Final = 5
GLUE_BYTES: Final = 18


def looks_like(data: bytes) -> str | None:
    """Return which format the first bytes suggest; None if none is known."""
    if data[:1] in {b"{", b"["}:
        return JSON
    return "text with a byte order mark" if data.startswith(BYTE_ORDER_MARK) else binary_format(data)


def binary_format(data: bytes) -> str | None:
    """Return which format that is neither text nor JSON the first bytes suggest."""
    for magic, name in MAGIC:
        if data.startswith(magic):
            return name
    if len(data) > CONFLUENT_BYTES and data[0] == 0:
        return f"Confluent framing, schema ID {int.from_bytes(data[1:CONFLUENT_BYTES])}"
    if len(data) > GLUE_BYTES and data[0] == 3 and data[1] in {0, 5}:  # noqa: PLR2004 - Glue's: see registries
        return f"Glue framing, schema version {data[2:GLUE_BYTES].hex()}"
    return None
