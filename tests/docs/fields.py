"""What a field of a pydantic model says of itself: what it takes, its default, and what it is.

What it takes, an alias such as `Name` may say, or in cdk.config a field's description; else its type and bounds do.
What it is, the string below the field says, or in functions.settings a field's description.
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

from cdk.values import Frozen

WORDS: Final = {str: "text", int: "a whole number", float: "a number", bool: "`true` or `false`"}
Model = type[BaseModel]


def takes(model: Model, name: str) -> str:
    """In words; not for fields that hold models."""
    hint, info = hints(model)[name], model.model_fields[name]
    if told := _told(hint) or (info.description if issubclass(model, Frozen) else None):
        return told
    if get_origin(hint) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(hint))
    if pattern := _limit([*info.metadata, *_metadata(hint)], "pattern"):
        return f"`{pattern}`"
    (kind,) = (part for part in parts(hint) if part is not type(None))
    return f"{WORDS[kind]}{_range(info.metadata)}"


def default(info: FieldInfo) -> str:
    """As cdk.json or a variable would say it."""
    if info.is_required():
        return "must be given"
    match info.default:
        case None:
            return "none"
        case BaseModel() as model:
            return f"kind `{model.kind}`" if hasattr(model, "kind") else "its own"
        case bool() as flag:
            return f"`{str(flag).lower()}`"
        case () | Mapping():
            return "none"
        case value:
            return f"`{value}`"


def meaning(model: Model, name: str) -> str:
    """The string below the field; or a setting's description, which is its own unless the type says what it takes."""
    told = next((strings[name] for each in model.__mro__ if name in (strings := _strings(each))), "")
    if not told and not issubclass(model, Frozen):
        told = model.model_fields[name].description or ""
    return f"{told[:1].upper()}{told[1:].rstrip('.')}." if told else ""


def models(hint: Any) -> list[Model]:
    """The models that a field may hold."""
    return [part for part in parts(hint) if isinstance(part, type) and issubclass(part, BaseModel)]


def parts(hint: Any) -> list[Any]:
    """A union's members, a mapping's values; anything else as it is."""
    if get_origin(hint) is Annotated:
        return parts(get_args(hint)[0])
    arguments = get_args(hint)
    if get_origin(hint) is Literal or not arguments:
        return [hint]
    return [each for part in arguments for each in parts(part)]


def hints(model: Model) -> dict[str, Any]:
    """The types of a model's fields, with what annotates them."""
    return {
        name: hint for name, hint in get_type_hints(model, include_extras=True).items() if name in model.model_fields
    }


@cache
def _strings(model: type) -> dict[str, str]:
    """The strings below the fields of a class, which Python forgets and the source keeps."""
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


def _told(hint: Any) -> str | None:
    """What an alias such as `Name` says that it takes."""
    return next((each.description for each in _metadata(hint) if isinstance(each, FieldInfo)), None)


def _metadata(hint: Any) -> list[Any]:
    """Of a type and its parts."""
    if get_origin(hint) is Annotated:
        return list(hint.__metadata__)
    return [each for part in get_args(hint) for each in _metadata(part)]


def _range(metadata: Sequence[Any]) -> str:
    limits = (("from", _limit(metadata, "ge")), ("above", _limit(metadata, "gt")), ("to", _limit(metadata, "le")))
    return "".join(f" {word} {limit}" for word, limit in limits if limit is not None)


def _limit(metadata: Sequence[Any], name: str) -> Any:
    """One that pydantic keeps among a field's metadata, such as `ge`, or None."""
    return next((limit for part in metadata if (limit := getattr(part, name, None)) is not None), None)
