"""The stores that answer immediately, as a child process."""

import json
import os
import sys
import tempfile
from collections import Counter
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final
from urllib.request import Request, urlopen

from sandbox.aws import endpoints
from sandbox.process import Process

START_SECONDS: Final = 60.0


class FastStores(AbstractContextManager["FastStores"]):
    """Running from construction until `stop`, or until this process ends."""

    def __init__(self) -> None:
        self._home = tempfile.TemporaryDirectory(prefix="tandem-bench-")
        folder = Path(self._home.name)
        port = folder / "port"
        self._process = Process([sys.executable, "-m", "sandbox.bench.stores.server", str(port)], folder / "stores.log")
        self._process.wait_until(port.exists, START_SECONDS)
        self.address = f"http://127.0.0.1:{port.read_text()}"

    @property
    def pid(self) -> int:
        """The process ID."""
        return self._process.pid

    def environment(self) -> dict[str, str]:
        """Return the variables with which boto3 reaches these stores and nothing else."""
        return endpoints(self.address) | {
            "AWS_ACCESS_KEY_ID": "bench",
            "AWS_SECRET_ACCESS_KEY": "bench",
            "AWS_SESSION_TOKEN": "bench",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }

    def expect(self, stage: str, following: int) -> None:
        """Note the time at which the sum of a stage's next offsets comes to `following`."""
        self._ask("POST", f"expect?stage={stage}&next={following}")

    def state(self, stage: str) -> dict[str, Any]:
        """Return what the server knows of a stage."""
        return self._ask("GET", f"state?stage={stage}")

    def requests(self) -> Counter[str]:
        """Return the requests so far, by operation; `PutObject` for S3."""
        state = self.state("-")  # no stage
        return Counter(state["calls"]) + Counter({"PutObject": sum(state["puts"].values()), "rows": state["rows"]})

    def stop(self) -> None:
        """Stop the process. Idempotent."""
        self._process.kill()
        self._home.cleanup()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _ask(self, method: str, path: str) -> dict[str, Any]:
        with urlopen(Request(f"{self.address}/-/{path}", method=method)) as response:  # noqa: S310 - an address of ours
            state: dict[str, Any] = json.load(response)
        return state
