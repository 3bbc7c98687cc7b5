"""The reference of all settings, generated from the models that read them."""

import re
from collections.abc import Iterator
from typing import Any, Final, get_args

from cdk.config import PipelineConfig, StageConfig
from functions.settings import Settings, variable_of
from tests.docs import fields
from tests.docs.fields import Model

HEADER: Final = "accepted values | default | description |\n|---|---|---|---|"


def settings() -> str:
    """The variables of a process."""
    rows = (_row(Settings, name, variable_of(name)) for name in _names(Settings))
    return "\n".join([f"| variable | {HEADER}", *rows])


def stages() -> str:
    """The settings of a stage in cdk.json: one table for each model, in field order."""
    return "\n\n".join(_section(path, model) for path, model in _models("", StageConfig))


def undescribed() -> list[str]:
    """Settings without a description."""
    models: list[Model] = [Settings, *(model for _, model in _models("", StageConfig))]
    return [
        f"{model.__name__}.{name}"
        for model in models
        for name in _names(model)
        if not (fields.description(model, name) or model.model_fields[name].description)
    ]


def _section(path: str, model: Model) -> str:
    kind = get_args(fields.hints(model).get("kind", Any))
    heading = " ".join(filter(None, (f"`{path}`" if path else "A stage", f"of kind `{kind[0]}`" if kind else "")))
    section = f"### {heading}\n\n{' '.join((model.__doc__ or '').split())}"
    rows = [_row(model, name, name) for name in _names(model)]
    return "\n".join([section, "", f"| setting | {HEADER}", *rows]) if rows else section


def _models(path: str, model: Model) -> Iterator[tuple[str, Model]]:
    """A model and the models in its fields, each with its path in the stage."""
    yield path, model
    for name, hint in fields.hints(model).items():
        for part in fields.models(hint):
            key = f"{name}.<pipeline>" if part is PipelineConfig else name
            yield from _models(f"{path}.{key}".removeprefix("."), part)


def _row(model: Model, name: str, shown: str) -> str:
    models = fields.models(fields.hints(model)[name])
    accepted = ", or ".join(map(_link, models)) if models else fields.accepted_values(model, name)
    cells = (f"`{shown}`", accepted, fields.default(model.model_fields[name]), fields.description(model, name))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _link(model: Model) -> str:
    """A link to the model's table."""
    path = next(path for path, each in _models("", StageConfig) if each is model)
    kind = get_args(fields.hints(model).get("kind", Any))
    anchor = re.sub(r"[^\w\- ]", "", f"{path} of kind {kind[0]}" if kind else path).replace(" ", "-")
    named = f"kind `{kind[0]}`" if kind else f"`{path}`"
    return f"[{named}](#{anchor})"


def _names(model: Model) -> list[str]:
    """The documented fields. `kind` is in the heading, and a stage's name is its key in cdk.json."""
    return [name for name in model.model_fields if name != "kind" and not (model is StageConfig and name == "name")]
