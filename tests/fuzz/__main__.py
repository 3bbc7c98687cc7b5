"""Fuzzing: arbitrary bytes as Lambda's event, as records of the logins pipeline, and under every codec.

examples:
    python -m tests.fuzz --inputs 1000000              an equal part per target
    python -m tests.fuzz --target event --inputs 50000
    python -m tests.fuzz --inputs 1000000 --keep       and add inputs that reach new code to tests/fuzz/corpus
    python -m tests.fuzz FILE                          run one input again, such as a finding

Guided by coverage if atheris is installed (pip install atheris), otherwise random mutations of the corpus. A finding is
any exception except the ValueError that the msk runtime documents for an event that no mapping sends. Its input is
written to build/fuzz; when it is fixed, add it to tests/fuzz/corpus. Exit code 1: there was a finding.
"""

import argparse
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tests.fuzz.mutation import TOKENS, inputs
from tests.fuzz.targets import CORPUS, MAX_INPUT_BYTES, TARGETS, corpus

OUT: Final = Path("build/fuzz")
FINDING: Final = 77  # libFuzzer's exit code
INPUTS_PER_REPORT: Final = 50_000


def main(arguments: Sequence[str]) -> int:
    """Fuzz the targets and return the exit code."""
    options = _parser().parse_args(arguments)
    targets = [options.target] if options.target else list(TARGETS)
    if options.file:
        return max(_run_again(target, options.file) for target in targets)
    began, fuzz = time.monotonic(), _guided if find_spec("atheris") else _unguided
    _print("guided by coverage" if fuzz is _guided else "unguided: atheris is not installed")
    codes = [fuzz(target, options.inputs // len(targets), options.seed) for target in targets]
    _print(f"{options.inputs:,} inputs in {time.monotonic() - began:.0f} s: {sum(map(bool, codes)) or 'no'} findings")
    if options.keep and not any(codes):
        for target in targets:
            _keep(target)
    return int(any(codes))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tests.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", type=Path, help="one input to run again")
    parser.add_argument("--inputs", type=int, default=100_000, help="how many in total (%(default)s)")
    parser.add_argument("--target", choices=TARGETS, help="only this one")
    parser.add_argument("--seed", type=int, default=1, help="(%(default)s)")
    parser.add_argument(
        "--keep", action="store_true", help="add inputs that reach new code to the corpus; needs atheris"
    )
    return parser


def _guided(target: str, count: int, seed: int) -> int:
    new_inputs, words = _folder(OUT / target), OUT / "words"
    words.write_text("".join('"' + "".join(f"\\x{byte:02x}" for byte in token) + '"\n' for token in TOKENS))
    arguments = [
        f"-runs={count}", f"-seed={seed}", f"-max_len={MAX_INPUT_BYTES}", f"-artifact_prefix={OUT / target}-finding-",
        f"-dict={words}", "-rss_limit_mb=4096", "-timeout=20", "-reduce_inputs=0", str(new_inputs),
        str(CORPUS / target),
    ]  # fmt: skip
    command = [sys.executable, "-m", "tests.fuzz.guided", target, *arguments]
    code = subprocess.run(command, check=False).returncode
    if code not in {0, FINDING}:
        raise SystemExit(f"{target}: interrupted, or failed to start: libFuzzer exited with {code}")
    return code


def _keep(target: str) -> None:
    """Copy the inputs that libFuzzer wrote to the corpus: they reached code that the corpus had not."""
    for file in (OUT / target).iterdir():
        (CORPUS / target / file.name).write_bytes(file.read_bytes())


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path


def _unguided(target: str, count: int, seed: int) -> int:
    for number, data in enumerate(inputs([data for _, data in corpus(target)], count, seed), 1):
        try:
            TARGETS[target](data)
        except Exception:  # noqa: BLE001 - any exception is a finding
            file = _folder(OUT) / f"{target}-finding-{number}"
            file.write_bytes(data)
            traceback.print_exc()
            _print(f"finding: python -m tests.fuzz --target {target} {file}")
            return 1
        if number % INPUTS_PER_REPORT == 0:
            _print(f"{target}: {number:,}")
    return 0


def _run_again(target: str, file: Path) -> int:
    try:
        TARGETS[target](file.read_bytes())
    except Exception:  # noqa: BLE001 - any exception is a finding
        traceback.print_exc()
        return 1
    return 0


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
