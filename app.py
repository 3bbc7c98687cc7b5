"""The CDK app: the stages of cdk.json, each with its stacks. It needs wheels from PyPI, but no account or Docker."""

import json
import os
import sys
from pathlib import Path

from cdk import node

node.use()

from cdk import synthesis  # noqa: E402 - importing it starts Node
from cdk.errors import InvalidConfig  # noqa: E402
from functions.core.errors import InvalidPipeline  # noqa: E402


def main() -> None:
    """Build every stage and write it to CDK_OUTDIR or cdk.out. Without the CDK's command line, read cdk.json here."""
    has_context = "CDK_CONTEXT_JSON" in os.environ  # set by the CDK's command line
    context = None if has_context else json.loads(Path("cdk.json").read_text(encoding="utf-8"))["context"]
    synthesis.app(context, os.environ.get("CDK_OUTDIR", "cdk.out")).synth()


if __name__ == "__main__":
    try:
        main()
    except (InvalidConfig, InvalidPipeline) as error:
        sys.exit(f"error: {error}")
    except RuntimeError as error:  # jsii turns every exception in Node into one
        if not str(error).startswith("ValidationFailed"):
            raise
        sys.exit("error: the checks above failed: fix what they report, or acknowledge it in cdk/acknowledged.py")
