"""How much an Avro value can expand: some schemas have values of a few bytes, or none, with billions of parts.

Law: a value has at most MAX_FREE_PARTS parts (numbers, texts, records, ...) and MAX_PARTS_PER_BYTE for each of its
bytes. `excess` of a type is the maximum over its values of parts - MAX_PARTS_PER_BYTE * bytes, which adds up over the
fields of a record. So a list is bounded if the excess of its items is not above 0, a schema if its own is bounded, and
a recursive type if its excess is not above 0 assuming so where it recurs.
"""

from typing import Any, Final

from functions.core.errors import Undecodable

MAX_FREE_PARTS: Final = 10_000
MAX_PARTS_PER_BYTE: Final = 16
MAX_LEVELS: Final = 200  # of types in types; fastavro has no limit, and then overflows the stack
BYTES: Final = {"null": 0, "float": 4, "double": 8}  # at least; 1 of all others


def check_expansion(schema: Any) -> bool:  # noqa: ANN401 - a schema that fastavro has parsed
    """Return whether a schema is recursive. Raises Undecodable if its values can expand without bound."""
    named = schema.get("__named_schemas", {}) if isinstance(schema, dict) else {}
    sizes = _Sizes(named)
    if sizes.excess(schema, 0) > MAX_FREE_PARTS:
        raise Undecodable(f"the Avro schema has values with more than {MAX_FREE_PARTS} parts and hardly a byte")
    return bool(sizes.recursive)


class _Sizes:
    def __init__(self, named: dict[str, Any]) -> None:
        self.recursive: set[str] = set()
        self._named = named
        self._known: dict[str, int | None] = {}  # None: a type within which its own name may occur

    def excess(self, schema: Any, level: int) -> int:  # noqa: ANN401 - a part of a parsed schema
        """Return the excess of a type. Raises Undecodable for types whose values can expand without bound."""
        if level > MAX_LEVELS:
            raise Undecodable(f"the Avro schema has more than {MAX_LEVELS} levels")
        if isinstance(schema, str):
            return self._by_name(schema, level)
        if isinstance(schema, list):
            branches = [self.excess(branch, level + 1) for branch in schema]
            return max(branches, default=0) - MAX_PARTS_PER_BYTE
        return self._of_type(schema, level)

    def _by_name(self, name: str, level: int) -> int:
        if name not in self._named:
            return 1 - MAX_PARTS_PER_BYTE * BYTES.get(name, 1)
        if name not in self._known:
            return self._named_type(name, self._named[name], level)
        known = self._known[name]
        if known is None:
            self.recursive.add(name)
        return 0 if known is None else known

    def _of_type(self, schema: dict[str, Any], level: int) -> int:
        match schema["type"]:
            case "array" | "map" as kind:
                if self.excess(schema["items" if kind == "array" else "values"], level + 1) > 0:
                    raise Undecodable(f"the Avro schema has an {kind} of items that take hardly a byte")
                return 1 - MAX_PARTS_PER_BYTE
            case "record" | "error":
                return self._named_type(schema["name"], schema, level)
            case "fixed":
                return 1 - MAX_PARTS_PER_BYTE * int(schema["size"])
            case "enum":
                return 1 - MAX_PARTS_PER_BYTE
            case inner:
                return self.excess(inner, level + 1)

    def _named_type(self, name: str, schema: dict[str, Any], level: int) -> int:
        if schema["type"] not in {"record", "error"}:
            return self._of_type(schema, level)
        self._known[name] = None
        excess = 1 + sum(self.excess(field["type"], level + 1) for field in schema["fields"])
        self._known[name] = excess
        if excess > 0 and name in self.recursive:
            raise Undecodable(f"the Avro schema's type {name} contains itself and takes hardly a byte")
        return excess
