"""Coverage-guided fuzzing of one target: `python -m tests.fuzz.guided TARGET <libFuzzer's arguments>`.

A separate process, because libFuzzer ends its process. Instruments the code under test before it is imported.
"""

import sys
from importlib import import_module
from typing import Any, Final

INSTRUMENTED: Final = [
    "functions.core", "functions.codecs", "functions.pipelines", "functions.runtimes.msk", "functions.adapters",
]  # fmt: skip


def main() -> None:
    """Run the fuzzer, which ends the process: with 0 after all inputs, with 77 at a finding."""
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=INSTRUMENTED):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
