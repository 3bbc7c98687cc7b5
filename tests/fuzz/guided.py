"""Coverage-guided fuzzing of one target: `python -m tests.fuzz.guided TARGET <libFuzzer's arguments>`.

A process of its own, because libFuzzer never gives one back. Instruments what is to be reached before it is imported.
"""

import sys
from importlib import import_module
from typing import Any, Final

REACHED: Final = ["functions.core", "functions.pipelines", "functions.runtimes.msk", "functions.adapters"]


def main() -> None:
    """Ends the process: 0 when all inputs are through, 77 with a finding."""
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=REACHED):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
