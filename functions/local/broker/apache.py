"""Apache Kafka 4 as a process of ours, in KRaft mode: the real thing, for demos, benchmarks and chaos.

Laws: it listens on the loopback address only; it is gone with this process, however that ends; killed and started
again, it is the same broker with the same data. Its data is deleted by `stop` alone.
"""

import base64
import re
import shutil
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from functions.local.broker import jars, kraft
from functions.local.broker.broker import Broker, Unavailable
from functions.local.broker.lifeline import GUARD, Child

OLDEST_JAVA = 17
JVM = (kraft.HEAP, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=WARN")
NONE: Mapping[str, str] = MappingProxyType({})


class Apache(Broker):
    """A broker that can be killed and started again."""

    def __init__(self, folder: Path, extra: Mapping[str, str] = NONE, start_seconds: float = 60) -> None:
        """Format a data folder for the jars in `folder`, and start. `extra` are further properties of Kafka's."""
        port, controller = kraft.free_ports(2)
        super().__init__("apache", f"127.0.0.1:{port}", folder.name.removeprefix("kafka-"))
        self._java = ("java", *JVM, "-cp", str(folder / "*"))
        self._home = Path(tempfile.mkdtemp(prefix="tandem-kafka-"))
        self._seconds = start_seconds
        self._child: Child | None = None
        try:
            self._format(kraft.properties(port, controller) | {"log.dirs": str(self._home / "data")} | dict(extra))
            self.start()
        except BaseException:
            self.stop()
            raise

    def start(self) -> None:
        """Start on the same port and data, and wait until it answers: RuntimeError with what it said if it does not."""
        self._child = Child([*GUARD, *self._java, "kafka.Kafka", str(self._home / "properties")], self._home / "log")
        until = time.monotonic() + self._seconds
        while not self.answers(0.5):
            if not self._child.running() or time.monotonic() > until:
                raise RuntimeError(f"Apache Kafka did not start:\n{self._child.said()}")

    def kill(self) -> None:
        """SIGKILL: no goodbye to clients, nothing flushed. What was acknowledged is in the page cache, and stays."""
        if self._child is not None:
            self._child.end()

    def stop(self) -> None:
        """Kill it and delete its data."""
        self.kill()
        shutil.rmtree(self._home, ignore_errors=True)

    def _format(self, properties: Mapping[str, str]) -> None:
        file = self._home / "properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        command = [*self._java, "kafka.tools.StorageTool", "format", f"--cluster-id={cluster}", f"--config={file}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"Apache Kafka did not format its storage:\n{(done.stdout + done.stderr)[-2000:]}")


def apache(say: Callable[[str], None]) -> Apache:
    """A running one: Unavailable where `fetched` says so."""
    return Apache(fetched(say))


def fetched(say: Callable[[str], None]) -> Path:
    """The jars, fetched if need be: Unavailable without Java 17, or without Maven the first time."""
    version = java_version()
    if version is None:
        raise Unavailable("no Java")
    if version < OLDEST_JAVA:
        raise Unavailable(f"Java {version} is older than {OLDEST_JAVA}")
    return jars.fetch(kraft.VERSION, say)


def java_version() -> int | None:
    """The major version of the `java` on the path."""
    try:
        done = subprocess.run(["java", "-version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(\d+)', done.stderr)
    return int(found[1]) if found else None
