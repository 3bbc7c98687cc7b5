"""What the benchmark compares with, under build/bench: the peers' environment, and an earlier commit's checkout."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sandbox.bench.result import ROOT, Skipped

PEERS: Final = Path(__file__).with_name("peers.txt")
BEFORE: Final = "6d592a4"  # the commit before stores were written to in batches
SECONDS: Final = 300


def peers(folder: Path, say: Callable[[str], None]) -> Path:
    """Return the Python of an environment with the locked peers, made if it is absent or of another lock."""
    home = folder / "peers"
    python, made_from = home / "bin" / "python", home / "made-from.txt"
    if made_from.exists() and made_from.read_text(encoding="utf-8") == PEERS.read_text(encoding="utf-8"):
        return python
    say("installing the peers into an environment of their own")
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    try:
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(home)])
        _run([uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", str(PEERS)])
    except OSError as error:
        raise Skipped(f"the peers' environment needs uv: {error}") from None
    shutil.copy(PEERS, made_from)
    return python


def before(folder: Path) -> Path:
    """Return the checkout of the earlier commit."""
    home = folder / "before"
    if not home.exists():
        try:
            _run(["git", "-C", str(ROOT), "worktree", "prune"])
            _run(["git", "-C", str(ROOT), "worktree", "add", "--quiet", "--detach", str(home), BEFORE])
        except OSError as error:
            raise Skipped(f"no checkout of {BEFORE}: {error}") from None
    return home


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Skipped(f"{' '.join(command[:3])} took more than {SECONDS} s") from None
    if done.returncode:
        reason = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "no reason given")
        raise Skipped(f"{' '.join(command[:3])}: {reason[:200]}")
