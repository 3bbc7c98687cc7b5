"""The reference of all settings, made from the models that read them: what the code takes is what the page says."""

import re
from collections.abc import Iterator
from typing import Any, Final, get_args

from cdk.config import Run, StageConfig
from functions.settings import Settings
from tests.docs import fields
from tests.docs.fields import Model

HEADER: Final = "takes | default | what it is |\n|---|---|---|---|"


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
    models: list[Model] = [Settings, *(model for _, model in _models("", StageConfig))]
    return [
        f"{model.__name__}.{name}"
        for model in models
        for name in _names(model)
        if not (fields.meaning(model, name) or model.model_fields[name].description)
    ]


def _section(path: str, model: Model) -> str:
    kind = get_args(fields.hints(model).get("kind", Any))
    heading = " ".join(filter(None, (f"`{path}`" if path else "A stage", f"of kind `{kind[0]}`" if kind else "")))
    told = f"### {heading}\n\n{' '.join((model.__doc__ or '').split())}"
    rows = [_row(model, name, name) for name in _names(model)]
    return "\n".join([told, "", f"| value | {HEADER}", *rows]) if rows else told


def _models(path: str, model: Model) -> Iterator[tuple[str, Model]]:
    """A model and those that its fields may hold, each with its place in the stage."""
    yield path, model
    for name, hint in fields.hints(model).items():
        for part in fields.models(hint):
            at = f"{name}.<pipeline>" if part is Run else name
            yield from _models(f"{path}.{at}".removeprefix("."), part)


def _row(model: Model, name: str, shown: str) -> str:
    held = fields.models(fields.hints(model)[name])
    takes = ", or ".join(map(_link, held)) if held else fields.takes(model, name)
    cells = (f"`{shown}`", takes, fields.default(model.model_fields[name]), fields.meaning(model, name))
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _link(model: Model) -> str:
    """To the model's own table."""
    path = next(path for path, each in _models("", StageConfig) if each is model)
    kind = get_args(fields.hints(model).get("kind", Any))
    anchor = re.sub(r"[^\w\- ]", "", f"{path} of kind {kind[0]}" if kind else path).replace(" ", "-")
    named = f"kind `{kind[0]}`" if kind else f"`{path}`"
    return f"[{named}](#{anchor})"


def _names(model: Model) -> list[str]:
    """Its fields; `kind` is in the heading, and a stage's name is its key in cdk.json."""
    return [name for name in model.model_fields if name != "kind" and not (model is StageConfig and name == "name")]
