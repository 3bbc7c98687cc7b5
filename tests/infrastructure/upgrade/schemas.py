"""What AWS says about resource types, from the resource provider schemas that cfn-lint ships."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

Path = tuple[str, ...]
# Types that the schemas describe incompletely: CloudFormation reference, AWS::DynamoDB::GlobalTable, "KeySchema".
MORE_CREATE_ONLY: Mapping[str, tuple[Path, ...]] = {"AWS::DynamoDB::GlobalTable": (("KeySchema",),)}


def create_only(type_: str) -> tuple[Path, ...]:
    """The properties whose change replaces the resource; `*` stands for each item of a list."""
    return (*_paths(type_, "createOnlyProperties"), *MORE_CREATE_ONLY.get(type_, ()))


def identified_by_name(type_: str) -> bool:
    """Whether a template's values identify the resource, so that a deployment can import an existing one by itself."""
    return not set(_paths(type_, "primaryIdentifier")) & set(_paths(type_, "readOnlyProperties"))


def can_be_imported(type_: str) -> bool:
    """CloudFormation imports only what it can read."""
    return "read" in _schema(type_).get("handlers", {})


def get(properties: Any, path: Path) -> Any:
    """The value at a path, or None."""
    if not path:
        return properties
    first, *rest = path
    if first == "*":
        return [get(item, tuple(rest)) for item in properties] if isinstance(properties, list) else None
    return get(properties.get(first), tuple(rest)) if isinstance(properties, dict) else None


def _paths(type_: str, name: str) -> tuple[Path, ...]:
    pointers = _schema(type_).get(name, [])
    return tuple(tuple(pointer.removeprefix("/properties/").split("/")) for pointer in pointers)


@cache
def _schema(type_: str) -> Mapping[str, Any]:
    if type_.startswith("Custom::"):
        return {}
    return dict(PROVIDER_SCHEMA_MANAGER.get_resource_schema(region="us-east-1", resource_type=type_).schema)
