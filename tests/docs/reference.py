"""The reference of all settings, made from the models that read them: what the code takes is what the page says."""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cdk.config import Frozen, Run, StageConfig
from functions.settings import Settings

HEADER: Final = "takes | default | what it is |\n|---|---|---|---|"
WORDS: Final = {str: "text", int: "a whole number", float: "a number", bool: "`true` or `false`"}


def settings() -> str:
    """The variables of a process."""
    rows = (
        _row(Settings, name, "AWS_REGION" if name == "region" else f"TANDEM_{name.upper()}")
        for name in _names(Settings)
    )
    return "\n".join([f"| variable | {HEADER}", *rows])


def stages() -> str:
    """The values of a stage in cdk.json: one table for each model, in the order in which they are met."""
    return "\n\n".join(_section(path, model) for path, model in _models("", StageConfig))


def silent() -> list[str]:
    """Settings and values that do not say what they are."""
    models: list[type[BaseModel]] = [Settings, *(model for _, model in _models("", StageConfig))]
    return [
        f"{model.__name__}.{name}"
        for model in models
        for name in _names(model)
        if not (_meaning(model, name) or model.model_fields[name].description)
    ]


def _section(path: str, model: type[BaseModel]) -> str:
    kind = get_args(_hints(model).get("kind", Any))
    heading = " ".join(filter(None, (f"`{path}`" if path else "A stage", f"of kind `{kind[0]}`" if kind else "")))
    told = f"### {heading}\n\n{' '.join((model.__doc__ or '').split())}"
    rows = [_row(model, name, name) for name in _names(model)]
    return "\n".join([told, "", f"| value | {HEADER}", *rows]) if rows else told


def _models(path: str, model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    yield path, model
    for name, hint in _hints(model).items():
        for part in _parts(hint):
            if isinstance(part, type) and issubclass(part, BaseModel):
                at = f"{name}.<pipeline>" if part is Run else name
                yield from _models(f"{path}.{at}".removeprefix("."), part)


def _row(model: type[BaseModel], name: str, shown: str) -> str:
    cells = (f"`{shown}`", _takes(model, name), _default(model.model_fields[name]), _meaning(model, name))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _takes(model: type[BaseModel], name: str) -> str:
    """What the type says, or a value's description; else what follows from the type."""
    hint, info = _hints(model)[name], model.model_fields[name]
    if told := _told(hint) or (info.description if issubclass(model, Frozen) else None):
        return told
    parts = [part for part in _parts(hint) if part is not type(None)]
    if any(isinstance(part, type) and issubclass(part, BaseModel) for part in parts):
        return ", or ".join(_link(part) for part in parts if issubclass(part, BaseModel))
    if get_origin(hint) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(hint))
    pattern = _limit(info.metadata, "pattern") or _limit(_metadata(hint), "pattern")
    return f"`{pattern}`" if pattern else f"{WORDS[parts[0]]}{_range(info.metadata)}"


def _link(model: type[BaseModel]) -> str:
    """To the model's own table."""
    path = next(path for path, each in _models("", StageConfig) if each is model)
    kind = get_args(_hints(model).get("kind", Any))
    anchor = re.sub(r"[^\w\- ]", "", f"{path} of kind {kind[0]}" if kind else path).replace(" ", "-")
    named = f"kind `{kind[0]}`" if kind else f"`{path}`"
    return f"[{named}](#{anchor})"


def _range(metadata: Sequence[Any]) -> str:
    limits = (("from", _limit(metadata, "ge")), ("above", _limit(metadata, "gt")), ("to", _limit(metadata, "le")))
    return "".join(f" {word} {limit}" for word, limit in limits if limit is not None)


def _limit(metadata: Sequence[Any], name: str) -> Any:
    """One that pydantic keeps among a field's metadata, such as `ge`, or None."""
    return next((limit for part in metadata if (limit := getattr(part, name, None)) is not None), None)


def _default(info: FieldInfo) -> str:
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


def _meaning(model: type[BaseModel], name: str) -> str:
    """The string below the field; or a setting's description, which is its own unless the type says what it takes."""
    told = next((strings[name] for each in model.__mro__ if name in (strings := _strings(each))), "")
    if not told and not issubclass(model, Frozen):
        told = model.model_fields[name].description or ""
    return f"{told[:1].upper()}{told[1:].rstrip('.')}." if told else ""


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


def _parts(hint: Any) -> list[Any]:
    """A union's members, a mapping's values; anything else as it is."""
    if get_origin(hint) is Annotated:
        return _parts(get_args(hint)[0])
    arguments = get_args(hint)
    if get_origin(hint) is Literal or not arguments:
        return [hint]
    return [each for part in arguments for each in _parts(part)]


def _hints(model: type[BaseModel]) -> dict[str, Any]:
    return {
        name: hint for name, hint in get_type_hints(model, include_extras=True).items() if name in model.model_fields
    }


def _names(model: type[BaseModel]) -> list[str]:
    """Its fields; `kind` is in the heading, and a stage's name is its key in cdk.json."""
    return [name for name in model.model_fields if name != "kind" and not (model is StageConfig and name == "name")]
