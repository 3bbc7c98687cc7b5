"""Apache Kafka from its Docker image, for machines with Docker and without Java.

Laws: it is published on the loopback address only; the container ends when its standard input does, which is when
this process ends, however that comes about.
"""

import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from functions.local.broker import kraft
from functions.local.broker.broker import Broker, Unavailable
from functions.local.broker.lifeline import Child

IMAGE = f"apache/kafka:{kraft.VERSION}"
UNTIL_INPUT_ENDS = "exec 3<&0; /etc/kafka/docker/run </dev/null 3<&- & cat <&3 >/dev/null & wait -n"


class Docker(Broker):
    """A container of ours."""

    def __init__(self, start_seconds: float = 180) -> None:
        """Start it and wait until it answers. The first time, Docker fetches the image."""
        port, controller = kraft.free_ports(2)
        super().__init__("docker", f"127.0.0.1:{port}", kraft.VERSION)
        self._home = tempfile.TemporaryDirectory(prefix="tandem-docker-")
        self._child = Child(command(port, controller), Path(self._home.name) / "log")
        try:
            self._wait(time.monotonic() + start_seconds)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the container; Docker then removes it."""
        self._child.end()
        self._home.cleanup()

    def _wait(self, until: float) -> None:
        while not self.answers(0.5):
            if not self._child.running() or time.monotonic() > until:
                raise RuntimeError(f"the Docker image {IMAGE} did not start:\n{self._child.said()}")


def command(port: int, controller: int) -> list[str]:
    """What runs the image until standard input ends."""
    properties = kraft.properties(port, controller, listen="0.0.0.0")  # noqa: S104 - inside of the container
    named = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in properties.items()}
    variables = [f"--env={name}={value}" for name, value in (named | {"KAFKA_HEAP_OPTS": kraft.HEAP}).items()]
    published = f"--publish=127.0.0.1:{port}:{port}"
    return ["docker", "run", "-i", "--rm", published, *variables, "--entrypoint=bash", IMAGE, "-c", UNTIL_INPUT_ENDS]


def docker(say: Callable[[str], None]) -> Docker:
    """A running one: Unavailable where no Docker engine answers."""
    if not engine():
        raise Unavailable("no Docker engine")
    say(f"starting the Docker image {IMAGE}, which Docker fetches the first time")
    return Docker()


def engine() -> bool:
    """Whether a Docker engine answers, not only a client."""
    asked = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        return subprocess.run(asked, capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
