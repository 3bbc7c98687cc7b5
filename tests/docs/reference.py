"""The reference of all settings, made from the models that read them: what the code takes is what the page says."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from cdk.config import Run, StageConfig
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
    return [f"{model.__name__}.{name}" for model in models for name in _names(model) if not _meaning(model, name)]


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
    info = model.model_fields[name]
    cells = (f"`{shown}`", _takes(_hints(model)[name], info), _default(info), _meaning(model, name))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _takes(hint: Any, info: FieldInfo) -> str:
    parts = [part for part in _parts(hint) if part is not type(None)]
    models = [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]
    if told := _told(hint):
        return f"a list; each {told}" if Ellipsis in get_args(hint) else told
    if get_origin(hint) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(hint))
    if models:
        return ", or ".join(_link(name_of) for name_of in models)
    pattern = _limit(info, "pattern")
    return f"`{pattern}`" if pattern else f"{WORDS[parts[0]]}{_range(info)}"


def _link(model: type[BaseModel]) -> str:
    """To the model's own table."""
    path = next(path for path, each in _models("", StageConfig) if each is model)
    kind = get_args(_hints(model).get("kind", Any))
    anchor = re.sub(r"[^\w\- ]", "", f"{path} of kind {kind[0]}" if kind else path).replace(" ", "-")
    named = f"kind `{kind[0]}`" if kind else f"`{path}`"
    return f"[{named}](#{anchor})"


def _range(info: FieldInfo) -> str:
    limits = (("from", _limit(info, "ge")), ("above", _limit(info, "gt")), ("to", _limit(info, "le")))
    return "".join(f" {word} {limit}" for word, limit in limits if limit is not None)


def _limit(info: FieldInfo, name: str) -> Any:
    """One that pydantic keeps among the field's metadata, such as `ge`, or None."""
    return next((limit for part in info.metadata if (limit := getattr(part, name, None)) is not None), None)


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
    """The title, or else the description if it is the field's own and not its type's, which says what it takes."""
    info = model.model_fields[name]
    description = info.description if info.description != _told(_hints(model)[name]) else None
    return info.title or description or ""


def _told(hint: Any) -> str | None:
    """What an alias such as `Name` says that it takes."""
    if get_origin(hint) is Annotated:
        return next((each.description for each in get_args(hint)[1:] if isinstance(each, FieldInfo)), None)
    return next((told for part in get_args(hint) if (told := _told(part))), None)


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
