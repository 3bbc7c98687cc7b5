"""A Protobuf message as Python values, which pydantic validates."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any, Final

from functions.codecs.packages import package
from functions.core.errors import Undecodable

WRAPPERS: Final = frozenset(
    f"google.protobuf.{name}Value"
    for name in ("Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes")
)
JSON_TYPES: Final = frozenset({"google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue"})


@dataclass(slots=True)
class Values:
    """Converts messages of at most `max_values` fields, items and messages."""

    max_values: int
    _fields: dict[str, list[tuple[Any, bool, bool]]] = field(default_factory=dict)

    def of(self, message: Any) -> Any:  # noqa: ANN401 - a generated message, and Python values
        """Return a dict by the fields' names, or the one value of Google's own types. Raises Undecodable."""
        return _Conversion(self, self.max_values).message(message)

    def fields(self, descriptor: Any) -> list[tuple[Any, bool, bool]]:  # noqa: ANN401 - a descriptor
        """Return each field with whether it is a list, and whether it is a map."""
        known = self._fields.get(descriptor.full_name)
        if known is None:
            known = [(field_, field_.is_repeated, _is_map(field_)) for field_ in descriptor.fields]
            self._fields[descriptor.full_name] = known
        return known


@dataclass(slots=True)
class _Conversion:
    values: Values
    left: int

    def message(self, message: Any) -> Any:  # noqa: ANN401 - see Values
        descriptor = message.DESCRIPTOR
        match descriptor.full_name:
            case "google.protobuf.Timestamp":
                return message.ToDatetime(UTC)
            case "google.protobuf.Duration":
                return message.ToTimedelta()
            case name if name in WRAPPERS:
                return message.value
            case name if name in JSON_TYPES:
                return package("google.protobuf.json_format", "protobuf").MessageToDict(message)
            case _:
                return self._fields(message, descriptor)

    def _fields(self, message: Any, descriptor: Any) -> dict[str, Any]:  # noqa: ANN401 - see Values
        fields = self.values.fields(descriptor)
        self._spend(1 + len(fields))
        converted: dict[str, Any] = {}
        for field_, is_list, is_map in fields:
            name = field_.name
            if field_.has_presence and not message.HasField(name):
                continue
            value = getattr(message, name)
            if is_map:
                self._spend(len(value))
                convert = self._converter(field_.message_type.fields_by_name["value"])
                converted[name] = {key: convert(value[key]) for key in value}
            elif is_list:
                self._spend(len(value))
                converted[name] = list(map(self._converter(field_), value))
            else:
                converted[name] = self._converter(field_)(value)
        return converted

    def _converter(self, field_: Any) -> Callable[[Any], Any]:  # noqa: ANN401 - a descriptor
        if field_.message_type is not None:
            return self.message
        if field_.enum_type is not None:
            names = field_.enum_type.values_by_number
            return lambda number: names[number].name if number in names else number
        return _same

    def _spend(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise Undecodable(f"expected at most {self.values.max_values} values in a message, got more")


def _same(value: Any) -> Any:  # noqa: ANN401 - a number, text or bytes
    return value


def _is_map(field_: Any) -> bool:  # noqa: ANN401 - a descriptor
    entry = field_.message_type
    return entry is not None and bool(entry.GetOptions().map_entry)
