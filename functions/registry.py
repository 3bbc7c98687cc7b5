"""Finds the pipelines: each is a module of `functions.pipelines` with the pipeline's name (`-` becomes `_`)."""

import pkgutil
from collections import defaultdict
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import Final

import functions.pipelines
from functions.core.errors import InvalidPipeline
from functions.core.pipeline import AnyPipeline, Pipeline
from functions.core.sinks import CustomSink, Lake, Topic

NONE: Final = "functions/pipelines: no pipeline is declared: tandem new NAME writes one"


def load(name: str, package: ModuleType = functions.pipelines) -> AnyPipeline:
    """Import and return one pipeline. InvalidPipeline names the module and the problem."""
    if name not in names(package):
        raise InvalidPipeline(
            f"expected one of the pipelines {', '.join(names(package))}, got {name!r}{_similar(name, package)}"
        )
    module = f"{package.__name__}.{name.replace('-', '_')}"
    try:
        pipeline = getattr(import_module(module), "PIPELINE", None)
    except InvalidPipeline as error:
        raise InvalidPipeline(f"{module}: {error}") from error
    except Exception as error:
        message = " ".join(str(error).split())  # pydantic's errors have several lines
        raise InvalidPipeline(f"{module}: {type(error).__name__}: {message}") from error
    if not isinstance(pipeline, Pipeline):
        raise InvalidPipeline(f"{module}: expected PIPELINE = Pipeline(...), got {pipeline!r}")
    if pipeline.name != name:
        raise InvalidPipeline(f"{module}: name: expected {name!r} in this file, got {pipeline.name!r}")
    return pipeline


def load_all(package: ModuleType = functions.pipelines) -> dict[str, AnyPipeline]:
    """Return every pipeline by name. A table, counter or own sink may be declared by only one."""
    pipelines = {name: load(name, package) for name in names(package)}
    owners: dict[str, list[str]] = defaultdict(list)
    for pipeline in pipelines.values():
        for sink in pipeline.sinks:
            if not isinstance(sink, Lake | Topic):
                kind = CustomSink if isinstance(sink, CustomSink) else type(sink)  # one variable for a sink's secret
                owners[f"{kind.__name__} {sink.name!r}"].append(pipeline.name)
    for sink_name, owned_by in owners.items():
        if len(owned_by) > 1:
            raise InvalidPipeline(
                f"{package.__name__}: sinks: expected one pipeline with {sink_name}, got {' and '.join(owned_by)}"
            )
    return pipelines


def names(package: ModuleType = functions.pipelines) -> list[str]:
    """Return the names of all pipelines, without importing them. Modules that protoc generated are none."""
    modules = (module.name for module in pkgutil.iter_modules(package.__path__))
    return sorted(name.replace("_", "-") for name in modules if not name.endswith("_pb2"))


def _similar(name: str, package: ModuleType) -> str:
    similar = get_close_matches(name, names(package), n=1)
    return f". Did you mean {similar[0]}?" if similar else ""


def extras(package: ModuleType = functions.pipelines) -> list[str]:
    """Return the extras of Tandem, sorted, with the packages that the pipelines need."""
    return sorted({extra for pipeline in load_all(package).values() for extra in pipeline.extras})
