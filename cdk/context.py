"""Reads the stages from cdk.json's context, and describes invalid values in one line."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from cdk.config import StageConfig
from cdk.errors import InvalidConfig
from cdk.names import RESERVED


def read(stages: object, pipeline_names: Iterable[str]) -> dict[str, StageConfig]:
    """The configurations of the context's `stages`, by name. Raises InvalidConfig."""
    if not isinstance(stages, Mapping) or not stages:
        raise InvalidConfig(f'stages: got {stages!r}, expected {{"dev": {{...}}, ...}} in the context of cdk.json')
    pipeline_names = set(pipeline_names)
    if reserved := sorted(pipeline_names & RESERVED):
        raise InvalidConfig(f"pipeline {reserved[0]!r}: got a name that is reserved, expected another one")
    configs = {name: _stage(name, values, pipeline_names) for name, values in stages.items()}
    _check_providers(configs.values())
    return configs


def _stage(name: str, stage_values: object, pipeline_names: set[str]) -> StageConfig:
    if not isinstance(stage_values, Mapping):
        raise InvalidConfig(f"stages.{name}: got {stage_values!r}, expected the stage's values")
    try:
        stage = StageConfig.model_validate({**stage_values, "name": name})
    except ValidationError as error:
        raise InvalidConfig("; ".join(_describe(name, detail) for detail in error.errors(include_url=False))) from None
    if unknown := sorted(set(stage.pipelines) - pipeline_names):
        expected = ", ".join(sorted(pipeline_names))
        raise InvalidConfig(f"stages.{name}.pipelines: got {', '.join(unknown)}, expected {expected}")
    return stage


def _check_providers(stages: Iterable[StageConfig]) -> None:
    """An account can have only one OIDC provider of an issuer, so only one of its stages may create it."""
    creators: dict[str | None, str] = {}
    for stage in stages:
        if stage.github and not stage.github.provider_arn:
            first = creators.setdefault(stage.account, stage.name)
            if first != stage.name:
                raise InvalidConfig(
                    f"stages.{stage.name}.github.provider_arn: is missing, expected the ARN of the provider that stage"
                    f" {first!r} creates in the same account"
                )


def _describe(stage: str, detail: Any) -> str:  # noqa: ANN401 - pydantic's error details
    """One line with the value's name, the value and what is expected."""
    path, field = _locate(detail["loc"])
    name, value, expected = ".".join(["stages", stage, *path]), detail["input"], field.description if field else None
    message = str(detail["msg"]).removeprefix("Input should be ")
    match detail["type"]:
        case "missing":
            return f"{name}: is missing, expected {expected}"
        case "extra_forbidden":
            return f"{name}: got {value!r}, but there is no such value"
        case "union_tag_invalid":
            return f"{name}.kind: got {detail['ctx']['tag']!r}, expected {detail['ctx']['expected_tags']}"
        case "union_tag_not_found":
            return f"{name}.kind: is missing, expected one of {', '.join(_kinds(field))}"
        case "value_error" if not expected:  # raised by a model's validator, whose message begins with the value's name
            return f"{name}.{detail['ctx']['error']}"
        case _:
            return f"{name}: got {value!r}, expected {expected or message}"


def _locate(loc: tuple[int | str, ...]) -> tuple[list[str], FieldInfo | None]:
    """The path of a value, without the kinds that pydantic inserts, and its field or the nearest enclosing one."""
    path: list[str] = []
    field: FieldInfo | None = None
    models: list[type[BaseModel]] = [StageConfig]
    for step in loc:
        inner = next((model.model_fields[step] for model in models if step in model.model_fields), None)
        if inner is None and field is not None and field.discriminator and step in _kinds(field):
            continue
        path.append(str(step))
        if inner:
            field, models = inner, list(_models(inner.annotation))
    return path, field


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _kinds(field: FieldInfo | None) -> list[str]:
    models = _models(field.annotation) if field else ()
    return [kind for model in models for kind in get_args(model.model_fields["kind"].annotation)]
