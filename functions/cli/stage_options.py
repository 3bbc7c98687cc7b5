"""`--stage` and `--pipeline`, which all operators' verbs have, and the context that they select."""

import os
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import wraps
from inspect import Parameter, signature
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from functions.core.errors import InvalidSetting

if TYPE_CHECKING:
    from functions.operate.context import OperatorContext

Stage = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="A deployed stage, whose parameters have all settings. Default TANDEM_STAGE."),
]
Pipeline = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The pipeline. Default TANDEM_PIPELINE, or the only one that is declared."),
]
OPTIONS: Final = {"stage": Stage, "pipeline": Pipeline}
NOTHING: Final[Mapping[str, str | None]] = MappingProxyType({})
finders: list[Callable[[], Mapping[str, str] | None]] = []  # of stages on this machine, which the sandbox adds
selected: ContextVar[Mapping[str, str | None]] = ContextVar("selected", default=NOTHING)


def of_stage(verb: Callable[..., None]) -> Callable[..., None]:
    """Add `--stage` and `--pipeline` to a verb, which gets its context from `connect`."""

    @wraps(verb)
    def run(**arguments: Any) -> None:  # noqa: ANN401 - the verb's own
        token = selected.set({name: arguments.pop(name) for name in OPTIONS})
        try:
            verb(**arguments)
        except KeyboardInterrupt as interrupt:
            typer.echo(str(interrupt) or "interrupted", err=True)
            raise
        finally:
            selected.reset(token)

    of_verb = signature(verb)
    added = [Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=OPTIONS[name]) for name in OPTIONS]
    run.__dict__["__signature__"] = of_verb.replace(parameters=[*of_verb.parameters.values(), *added])
    run.__annotations__ = {**verb.__annotations__, **OPTIONS}
    return run


def connect(pipeline: str | None = None) -> "OperatorContext":
    """Return the context of the selected stage and pipeline. Raises InvalidSetting."""
    from functions import settings  # noqa: PLC0415
    from functions.operate import context  # noqa: PLC0415

    return context.connect(settings.read(variables_of(pipeline)))


def variables_of(pipeline: str | None = None) -> Mapping[str, str]:
    """Return the variables of the selected stage for a pipeline, or for the selected one. Raises InvalidSetting."""
    variables = _variables()
    name = pipeline or selected.get().get("pipeline") or variables.get("TANDEM_PIPELINE") or _only_pipeline()
    return {**variables, "TANDEM_PIPELINE": name}


def _variables() -> Mapping[str, str]:
    """The variables of the selected stage, of this process unless `--stage` names another one.

    Without both, or if `--stage` has its name, those of a stage that runs on this machine.
    """
    stage = selected.get().get("stage")
    if stage not in {None, os.environ.get("TANDEM_STAGE")} or "TANDEM_STAGE" not in os.environ:
        for find in finders:
            local = find()
            if local is not None and stage in {None, local["TANDEM_STAGE"]}:
                os.environ.update(local)  # clients of AWS and Kubernetes read their variables there
                return os.environ
    if stage is None and "TANDEM_STAGE" not in os.environ:
        local_stage = ", and no sandbox is running (tandem up starts one)" if finders else ""
        raise InvalidSetting(
            f"--stage: missing{local_stage}: expected a deployed stage, or the variables of its processes "
            "(docs/configuration.md)"
        )
    if stage in {None, os.environ.get("TANDEM_STAGE")}:
        return os.environ
    from functions.adapters.stage_parameters import worker_variables  # noqa: PLC0415

    return worker_variables(str(stage))


def _only_pipeline() -> str:
    from functions import registry  # noqa: PLC0415

    declared = registry.names()
    if len(declared) != 1:
        raise InvalidSetting(f"--pipeline: missing, expected one of {', '.join(declared)}")
    return declared[0]
