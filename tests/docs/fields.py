"""The documentation of a pydantic model's field: accepted values, default and description.

The accepted values come from an alias such as `Name`, from a description in cdk.config, or from type and bounds.
The description is the string below the field, or in functions.settings a field's description.
"""

import ast
import inspect
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cdk.values import ConfigModel

WORDS: Final = {str: "text", int: "a whole number", float: "a number", bool: "`true` or `false`"}
Model = type[BaseModel]


def accepted_values(model: Model, name: str) -> str:
    """The accepted values in words. Not for fields that contain models."""
    hint, info = hints(model)[name], model.model_fields[name]
    if described := _alias_description(hint) or (info.description if issubclass(model, ConfigModel) else None):
        return described
    if get_origin(hint) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(hint))
    if pattern := _limit([*info.metadata, *_metadata(hint)], "pattern"):
        return f"`{pattern}`"
    (kind,) = (part for part in parts(hint) if part is not type(None))
    return f"{WORDS[kind]}{_range(info.metadata)}"


def default(info: FieldInfo) -> str:
    """The default, written as in cdk.json or in a variable."""
    if info.is_required():
        return "required"
    match info.get_default(call_default_factory=True):
        case None | {}:
            return "none"
        case BaseModel() as model:
            return f"kind `{model.kind}`" if hasattr(model, "kind") else "see its table"
        case bool() as flag:
            return f"`{str(flag).lower()}`"
        case () | Mapping():
            return "none"
        case value:
            return f"`{value}`"


def description(model: Model, name: str) -> str:
    """The string below the field, or for settings the field's description."""
    text = next((strings[name] for each in model.__mro__ if name in (strings := _strings(each))), "")
    if not text and not issubclass(model, ConfigModel):
        text = model.model_fields[name].description or ""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def models(hint: Any) -> list[Model]:
    """The models that a field can contain."""
    return [part for part in parts(hint) if isinstance(part, type) and issubclass(part, BaseModel)]


def parts(hint: Any) -> list[Any]:
    """A union's members or a mapping's values; any other type unchanged."""
    if get_origin(hint) is Annotated:
        return parts(get_args(hint)[0])
    arguments = get_args(hint)
    if get_origin(hint) is Literal or not arguments:
        return [hint]
    return [each for part in arguments for each in parts(part)]


def hints(model: Model) -> dict[str, Any]:
    """The types of a model's fields, with their annotations."""
    return {
        name: hint for name, hint in get_type_hints(model, include_extras=True).items() if name in model.model_fields
    }


@cache
def _strings(model: type) -> dict[str, str]:
    """The strings below the fields of a class. Python discards them, so they are read from the source."""
    if not issubclass(model, BaseModel) or model is BaseModel:
        return {}
    (declared,) = ast.parse(dedent(inspect.getsource(model))).body
    pairs = pairwise(declared.body) if isinstance(declared, ast.ClassDef) else ()
    return {
        field.target.id: " ".join(string.value.value.split())
        for field, string in pairs
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(string, ast.Expr)
        and isinstance(string.value, ast.Constant)
        and isinstance(string.value.value, str)
    }


def _alias_description(hint: Any) -> str | None:
    """The accepted values that an alias such as `Name` describes."""
    return next((each.description for each in _metadata(hint) if isinstance(each, FieldInfo)), None)


def _metadata(hint: Any) -> list[Any]:
    """The metadata of a type and its parts."""
    if get_origin(hint) is Annotated:
        return list(hint.__metadata__)
    return [each for part in get_args(hint) for each in _metadata(part)]


def _range(metadata: Sequence[Any]) -> str:
    limits = (("from", _limit(metadata, "ge")), ("above", _limit(metadata, "gt")), ("to", _limit(metadata, "le")))
    return "".join(f" {word} {limit}" for word, limit in limits if limit is not None)


def _limit(metadata: Sequence[Any], name: str) -> Any:
    """A limit such as `ge` in pydantic's metadata of a field, or None."""
    return next((limit for part in metadata if (limit := getattr(part, name, None)) is not None), None)
