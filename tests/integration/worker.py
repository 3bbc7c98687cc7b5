"""The worker as Kubernetes sees it: a process, its exit code, its log, its probes."""

import json
import re
import urllib.error
import urllib.request
from typing import Any, Final, Self

from sandbox.worker import WorkerProcess
from tests.integration.waiting import PATIENCE, eventually

ANSWER_SECONDS: Final = 60


class ProbedWorker(WorkerProcess):
    """A worker process whose probes, metrics and log a test reads."""

    def end(self) -> int:
        """Wait for its end, and return its exit code."""
        eventually(lambda: not self.running, self.tail)
        return self.wait(PATIENCE)

    def lines(self, message: str) -> list[dict[str, Any]]:
        """Return the log lines with this message."""
        lines = (json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{"))
        return [line for line in lines if line["message"] == message]

    def ready(self) -> Self:
        """Wait until /readyz says so."""
        eventually(lambda: self.get("/readyz")[0] == 200, self.tail)
        return self

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body; status 0 while nothing listens."""
        assert self.running, self.tail()
        up = self.lines("worker started")
        if not up:
            return 0, ""
        url = f"http://127.0.0.1:{up[0]['http_port']}{path}"
        try:
            with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, name: str) -> float:
        """Return the sum of a metric over its other labels; 0 where there is none."""
        values = re.findall(rf"^tandem_{name}\{{.*\}} (\S+)$", self.get("/metrics")[1], re.MULTILINE)
        return sum(map(float, values))
