"""Builds the app from a context, for app.py and for the tests."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from cdk import external
from cdk.context import read
from cdk.stage import TandemStage
from functions import registry
from functions.core.pipeline import AnyPipeline


def app(
    cdk_context: Mapping[str, Any] | None,
    out: str,
    *,
    checked: bool = True,
    pipelines: Mapping[str, AnyPipeline] | None = None,
) -> App:
    """The app with every stage of `cdk_context`, written to the folder `out` by its synth().

    Omit `pipelines` for all registered ones. With None, the CDK's command line provides it.
    """
    created = App(context=cdk_context, outdir=out, analytics_reporting=False)  # reporting would add a resource
    if checked:
        Validations.of(created).add_plugins(AwsSolutionsChecks(created))
    pipelines = registry.load_all() if pipelines is None else pipelines
    for stage in read(created.node.try_get_context("stages"), pipelines).values():
        external.check(stage, pipelines.values())
        TandemStage(created, stage, tuple(pipelines.values()))
    return created
