"""Keeps the templates of a release for test_released.py: `python -m tests.infrastructure.upgrade 1.2.3 cdk.out`."""

import sys
from pathlib import Path

from tests.infrastructure.upgrade import assembly


def main(version: str, out: str) -> None:
    """Keep the stacks of each stage in a cloud assembly, as `make synth` writes it."""
    for folder in sorted(Path(out).glob("assembly-*")):
        assembly.keep(version, folder.name.removeprefix("assembly-"), assembly.read(folder))


if __name__ == "__main__":
    main(*sys.argv[1:])
