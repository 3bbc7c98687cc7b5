"""Finds the pipelines: one module of `functions.pipelines` each, named after its pipeline (`-` becomes `_`)."""

import pkgutil
from collections import defaultdict
from importlib import import_module
from types import ModuleType

import functions.pipelines
from functions.core.errors import InvalidPipeline
from functions.core.pipeline import AnyPipeline, Pipeline
from functions.core.sinks import Lake, Topic


def load(name: str, package: ModuleType = functions.pipelines) -> AnyPipeline:
    """The pipeline of that name, importing no other. InvalidPipeline names the module and what is wrong with it."""
    module = f"{package.__name__}.{name.replace('-', '_')}"
    try:
        pipeline = getattr(import_module(module), "PIPELINE", None)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise InvalidPipeline(f"{module}: {error}") from error
        raise InvalidPipeline(f"there is no pipeline {name!r}, there are: {', '.join(names(package))}") from None
    except InvalidPipeline as error:
        raise InvalidPipeline(f"{module}: {error}") from error
    except Exception as error:
        told = " ".join(str(error).split())  # pydantic's errors have several lines
        raise InvalidPipeline(f"{module}: {type(error).__name__}: {told}") from error
    if not isinstance(pipeline, Pipeline):
        raise InvalidPipeline(f"{module}: takes PIPELINE = Pipeline(...), got {pipeline!r}")
    if pipeline.name != name:
        raise InvalidPipeline(f"{module}: name: takes {name!r} in this file, got {pipeline.name!r}")
    return pipeline


def load_all(package: ModuleType = functions.pipelines) -> dict[str, AnyPipeline]:
    """Every pipeline by name. A table or a counter belongs to one of them, or two would overwrite each other's rows."""
    pipelines = {name: load(name, package) for name in names(package)}
    owners: dict[str, list[str]] = defaultdict(list)
    for pipeline in pipelines.values():
        for sink in pipeline.sinks:
            if not isinstance(sink, Lake | Topic):
                owners[f"{type(sink).__name__} {sink.name!r}"].append(pipeline.name)
    for sink_name, owned_by in owners.items():
        if len(owned_by) > 1:
            raise InvalidPipeline(
                f"{package.__name__}: sinks: {sink_name} takes one pipeline, {' and '.join(owned_by)} declare it"
            )
    return pipelines


def names(package: ModuleType = functions.pipelines) -> list[str]:
    """The names of all pipelines, without importing them."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(package.__path__))
