"""Apache Kafka from its Docker image, for machines with Docker and without Java.

Laws: its port is published on the loopback address only; the container ends when its standard input does, hence with
this process, however that ends.
"""

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from sandbox.broker import kraft
from sandbox.broker.broker import Broker
from sandbox.broker.errors import BrokerUnavailable
from sandbox.process import Process

START_SECONDS = 300.0
IMAGE = f"apache/kafka:{kraft.VERSION}"
UNTIL_INPUT_ENDS = "exec 3<&0; /etc/kafka/docker/run </dev/null 3<&- & cat <&3 >/dev/null & wait -n"


class Docker(Broker):
    """A container that we started."""

    def __init__(self, start_seconds: float = START_SECONDS) -> None:
        """Start it and wait until it answers. The first time, Docker fetches the image."""
        port, controller = kraft.free_ports(2)
        super().__init__("docker", f"127.0.0.1:{port}", kraft.VERSION)
        self._home = tempfile.TemporaryDirectory(prefix="tandem-docker-")
        log = Path(self._home.name) / "docker.log"
        self._process = Process(command(port, controller), log, reads_input=True)
        try:
            self._process.wait_until(lambda: self.answers(0.5), start_seconds)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the container; Docker then removes it."""
        self._process.end_input()
        self._home.cleanup()


def command(port: int, controller: int) -> list[str]:
    """Return the command that runs the image until standard input ends."""
    properties = kraft.properties(port, controller, listen="0.0.0.0")  # noqa: S104 - inside of the container
    named = {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in properties.items()}
    variables = [f"--env={name}={value}" for name, value in (named | {"KAFKA_HEAP_OPTS": kraft.HEAP}).items()]
    published = f"--publish=127.0.0.1:{port}:{port}"
    return ["docker", "run", "-i", "--rm", published, *variables, "--entrypoint=bash", IMAGE, "-c", UNTIL_INPUT_ENDS]


def docker(say: Callable[[str], None]) -> Docker:
    """Return a running broker: BrokerUnavailable if no Docker engine answers."""
    if not engine():
        raise BrokerUnavailable("no Docker engine")
    say(f"starting the Docker image {IMAGE}, which Docker fetches the first time")
    return Docker()


def engine() -> bool:
    """Whether a Docker engine answers; a client alone does not count."""
    command = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
