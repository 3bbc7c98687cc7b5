"""From the context to the app: what app.py and the tests have in common."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from cdk import context
from cdk.stage import TandemStage
from functions import registry
from functions.core.pipeline import AnyPipeline


def app(
    given: Mapping[str, Any] | None,
    out: str,
    *,
    checked: bool = True,
    pipelines: Mapping[str, AnyPipeline] | None = None,
) -> App:
    """Every stage with these pipelines or all, and the checks. None as context: what the CDK's command line gives."""
    made = App(context=given, outdir=out, analytics_reporting=False)  # which would add a resource of its own
    if checked:
        Validations.of(made).add_plugins(AwsSolutionsChecks(made))
    pipelines = registry.load_all() if pipelines is None else pipelines
    for stage in context.read(made.node.try_get_context("stages"), pipelines).values():
        TandemStage(made, stage, tuple(pipelines.values()))
    return made
