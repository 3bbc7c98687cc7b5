"""The reference of a pipeline's declaration, generated from the classes that a pipeline's file uses."""

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from enum import Enum
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import Any, Final, get_origin

from functions import testing
from functions.codecs import avro, json_schema, protobuf, zstd
from functions.core import codecs, compression, dedup, flood, keys, pipeline, record, registries, sinks, topic_config
from functions.sinks import postgres

SECTIONS: Final[Mapping[str, tuple[Any, ...]]] = {
    "Declaration": (
        pipeline.Pipeline, pipeline.Limits, flood.FloodLimit, topic_config.TopicConfig, dedup.Dedup, record.Record,
        record.Delete,
    ),
    "Sinks": (sinks.Lake, sinks.Counters, sinks.Table, sinks.Topic, postgres.Postgres, sinks.CustomSink),
    "Codecs": (
        codecs.Json, codecs.Raw, compression.Gzip, zstd.Zstd, compression.ByHeader, avro.Avro, protobuf.Protobuf,
        json_schema.JsonSchema, registries.Confluent, registries.Glue, keys.TextKey, keys.JsonKey,
    ),
    "Tests": (testing.Evaluated,),
}  # fmt: skip
HEADER: Final = "| option | type | default | description |\n|---|---|---|---|"
READ_ONLY: Final = (record.Record, testing.Evaluated)  # made by Tandem: their docstrings describe their fields


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a class. `default` and `description` are Markdown."""

    name: str
    type: str
    default: str
    description: str


def reference() -> str:
    """All sections."""
    return "\n\n".join("\n\n".join([f"## {heading}", *map(_section, classes)]) for heading, classes in SECTIONS.items())


def undescribed() -> list[str]:
    """Options without a description."""
    declared = (class_ for classes in SECTIONS.values() for class_ in classes if class_ not in READ_ONLY)
    return [f"{each.__name__}.{option.name}" for each in declared for option in options(each) if not option.description]


def options(class_: Any) -> list[Option]:
    """The fields of a dataclass, and its class variables that have a description."""
    defaults = {each.name: _default(each.default, each.default_factory) for each in fields(class_) if each.init}
    written = _annotations(class_)
    constants = {
        name: f"`{getattr(class_, name)!r}`"
        for name, (type_, text) in written.items()
        if name not in defaults and text and type_.startswith("ClassVar")
    }
    return [
        Option(name, _type(written[name][0]), text, written[name][1]) for name, text in (defaults | constants).items()
    ]


def _section(class_: Any) -> str:
    text = re.sub(r"\s*\n\s*", lambda gap: "\n\n" if gap[0].count("\n") > 1 else " ", inspect.getdoc(class_) or "")
    parts = [f"### `{class_.__name__}`", f"`from {class_.__module__} import {class_.__name__}`", text]
    if rows := [] if class_ in READ_ONLY else [_row(option) for option in options(class_)]:
        parts.append("\n".join([HEADER, *rows]))
    return "\n\n".join(parts)


def _row(option: Option) -> str:
    cells = (f"`{option.name}`", f"`{option.type}`", option.default, option.description)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _type(annotation: str) -> str:
    """The annotation as it is written, without ClassVar."""
    return annotation.removeprefix("ClassVar[")[:-1] if annotation.startswith("ClassVar[") else annotation


def _default(value: Any, factory: Callable[[], object] | Any) -> str:
    """The default, written as in Python."""
    if factory is not MISSING:
        return f"`{factory.__name__}()`"
    match value:
        case Enum():
            return f"`{value}`"
        case None:
            return "none"
        case int() | float() if not isinstance(value, bool):
            return f"`{value:_}`"
        case _:
            return "required" if value is MISSING else f"`{value!r}`"


def _annotations(class_: Any) -> dict[str, tuple[str, str]]:
    """The annotation, as it is written, and the string below it, of each field of a class and its bases."""
    found: dict[str, tuple[str, str]] = {}
    for base in reversed(class_.__mro__):
        if base.__module__.startswith("functions."):
            found |= _written(get_origin(base) or base)
    return found


@cache
def _written(class_: type) -> dict[str, tuple[str, str]]:
    """See _annotations. Python discards the strings, so they are read from the source."""
    (declared,) = ast.parse(dedent(inspect.getsource(class_))).body
    body = [*declared.body, ast.Pass()] if isinstance(declared, ast.ClassDef) else []
    return {
        field.target.id: (ast.unparse(field.annotation), _text(below))
        for field, below in pairwise(body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }


def _text(node: ast.stmt) -> str:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return " ".join(node.value.value.split())
    return ""
