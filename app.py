"""The CDK app: the stages of cdk.json, each with its stacks. No account, no look-ups, no Docker; wheels from PyPI."""

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
    """Build every stage and write cdk.out. Without the CDK's command line it reads cdk.json itself."""
    by_command_line = "CDK_CONTEXT_JSON" in os.environ
    given = None if by_command_line else json.loads(Path("cdk.json").read_text(encoding="utf-8"))["context"]
    synthesis.app(given, os.environ.get("CDK_OUTDIR", "cdk.out")).synth()


if __name__ == "__main__":
    try:
        main()
    except (InvalidConfig, InvalidPipeline) as error:
        sys.exit(f"error: {error}")
    except RuntimeError as error:  # what jsii makes of every exception in Node
        if not str(error).startswith("ValidationFailed"):
            raise
        sys.exit("error: the checks above found something: mend it, or see cdk/acknowledged.py")
