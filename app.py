"""The CDK app: the stages of cdk.json, each with its stacks. It synthesises offline: no look-ups, no Docker."""

import json
import os
import sys
from pathlib import Path

from cdk import node

node.use()

import aws_cdk  # noqa: E402 - importing it starts Node

from cdk import config  # noqa: E402
from cdk.errors import InvalidConfig  # noqa: E402
from cdk.stage import TandemStage  # noqa: E402
from functions import registry  # noqa: E402
from functions.core.errors import InvalidPipeline  # noqa: E402


def main() -> None:
    """Build every stage and write cdk.out. Without the CDK's command line it reads cdk.json itself."""
    own = {} if "CDK_CONTEXT_JSON" in os.environ else json.loads(Path("cdk.json").read_text(encoding="utf-8"))
    app = aws_cdk.App(context=own.get("context"), outdir=os.environ.get("CDK_OUTDIR", "cdk.out"))
    pipelines = registry.load_all()
    for stage in config.read(app.node.try_get_context("stages"), pipelines).values():
        TandemStage(app, stage, tuple(pipelines.values()))
    app.synth()


if __name__ == "__main__":
    try:
        main()
    except (InvalidConfig, InvalidPipeline) as error:
        sys.exit(f"error: {error}")
