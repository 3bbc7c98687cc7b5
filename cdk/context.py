"""Reads the stages from cdk.json's context, and says in one line what is wrong with a value."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from cdk.config import StageConfig
from cdk.errors import InvalidConfig


def read(context: object, pipelines: Iterable[str]) -> dict[str, StageConfig]:
    """The stages of the context's `stages`, by name, or InvalidConfig."""
    if not isinstance(context, Mapping) or not context:
        raise InvalidConfig(f'stages: got {context!r}, takes {{"dev": {{...}}, ...}} in the context of cdk.json')
    stages = {name: _stage(name, given, set(pipelines)) for name, given in context.items()}
    _one_provider_an_account(stages.values())
    return stages


def _stage(name: str, given: object, pipelines: set[str]) -> StageConfig:
    if not isinstance(given, Mapping):
        raise InvalidConfig(f"stages.{name}: got {given!r}, takes the stage's values")
    try:
        stage = StageConfig.model_validate({**given, "name": name})
    except ValidationError as error:
        raise InvalidConfig("; ".join(_told(name, problem) for problem in error.errors(include_url=False))) from None
    if unknown := sorted(set(stage.pipelines) - pipelines):
        raise InvalidConfig(f"stages.{name}.pipelines: got {', '.join(unknown)}, takes {', '.join(sorted(pipelines))}")
    return stage


def _one_provider_an_account(stages: Iterable[StageConfig]) -> None:
    makers: dict[str | None, str] = {}
    for stage in stages:
        if stage.github and not stage.github.provider_arn:
            first = makers.setdefault(stage.account, stage.name)
            if first != stage.name:
                raise InvalidConfig(
                    f"stages.{stage.name}.github.provider_arn: is missing, takes the ARN of the provider that stage"
                    f" {first!r} makes in the same account"
                )


def _told(stage: str, problem: Any) -> str:  # noqa: ANN401 - pydantic's error details
    """Its name, what it got, what it takes."""
    at, field = _place(problem["loc"])
    name, got, takes = ".".join(["stages", stage, *at]), problem["input"], field.description if field else None
    message = str(problem["msg"]).removeprefix("Input should be ")
    match problem["type"]:
        case "missing":
            return f"{name}: is missing, takes {takes}"
        case "extra_forbidden":
            return f"{name}: got {got!r}, but there is no such value"
        case "union_tag_invalid":
            return f"{name}.kind: got {problem['ctx']['tag']!r}, takes {problem['ctx']['expected_tags']}"
        case "union_tag_not_found":
            return f"{name}.kind: is missing, takes one of {', '.join(_kinds(field))}"
        case "value_error" if not takes:  # of a model: its own message names the value
            return f"{name}.{problem['ctx']['error']}"
        case _:
            return f"{name}: got {got!r}, takes {takes or message}"


def _place(loc: tuple[int | str, ...]) -> tuple[list[str], FieldInfo | None]:
    """The value's place without the kinds that pydantic puts in it, and its field, or the nearest around it."""
    at: list[str] = []
    field: FieldInfo | None = None
    models: list[type[BaseModel]] = [StageConfig]
    for part in loc:
        inner = next((model.model_fields[part] for model in models if part in model.model_fields), None)
        if inner is None and field is not None and field.discriminator and part in _kinds(field):
            continue
        at.append(str(part))
        if inner:
            field, models = inner, list(_models(inner.annotation))
    return at, field


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _kinds(field: FieldInfo | None) -> list[str]:
    models = _models(field.annotation) if field else ()
    return [kind for model in models for kind in get_args(model.model_fields["kind"].annotation)]
