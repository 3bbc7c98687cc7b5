"""Apache Kafka 4 as a child process in KRaft mode, for demos, benchmarks and chaos.

Laws: it listens on the loopback address only; it ends with this process, however that ends; after a kill and a start
it is the same broker with the same data. Only `stop` deletes its data, unless it was given a home for it.
"""

import base64
import re
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from sandbox.broker import jars, kraft
from sandbox.broker.broker import Broker
from sandbox.broker.errors import BrokerUnavailable
from sandbox.process import Process

MIN_JAVA = 17
START_SECONDS = 180.0
STOP_SECONDS = 30.0
JVM = (kraft.HEAP, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=WARN")
NONE: Mapping[str, str] = MappingProxyType({})


class Cluster(NamedTuple):
    """Kafka's ID of a cluster, and the port of its controller."""

    id: str
    controller: int


class Apache(Broker):
    """A broker that can be killed and restarted."""

    def __init__(  # noqa: PLR0913 - by name
        self,
        folder: Path,
        extra: Mapping[str, str] = NONE,
        start_seconds: float = START_SECONDS,
        *,
        joins: Cluster | None = None,
        has_acls: bool = False,
        home: Path | None = None,
    ) -> None:
        """Format a data folder, and start the jars in `folder`. `extra` are further Kafka properties.

        With `home` it keeps its data there, and continues with what is there; only its ports differ each time.

        It is the first broker of a new cluster, or the second one of the cluster that it joins. With `has_acls`
        it is as kraft.guarded says.
        """
        port, controller, scram = kraft.free_ports(3)
        super().__init__("apache", f"127.0.0.1:{port}", folder.name.removeprefix("kafka-"))
        self.scram = f"127.0.0.1:{scram}"
        """Where SCRAM users connect, if it has ACLs."""
        self._folder = folder
        self.cluster = joins or Cluster(_known_id(home) or _new_id(), controller)
        self._java = ("java", *JVM, "-cp", str(folder / "*"))
        self._keeps_data = home is not None
        self._home = home or Path(tempfile.mkdtemp(prefix="tandem-kafka-"))
        self._seconds = start_seconds
        self._process: Process | None = None
        try:
            kind = kraft.properties if joins is None else kraft.joining
            own = {"log.dirs": str(self._home / "data")}
            controller = self.cluster.controller
            properties = kraft.guarded(port, controller, scram) if has_acls else kind(port, controller)
            self._format(properties | own | dict(extra))
            self.start()
        except BaseException:
            self.stop()
            raise

    def second(self) -> "Apache":
        """Return another broker of this cluster, running; its number is kraft.SECOND."""
        return Apache(self._folder, start_seconds=self._seconds, joins=self.cluster)

    def start(self) -> None:
        """Start on the same port and data, and wait until it answers: RuntimeError with its log if it does not."""
        self._process = Process([*self._java, "kafka.Kafka", str(self._home / "properties")], self._home / "kafka.log")
        self._process.wait_until(lambda: self.answers(0.5), self._seconds)

    def configure(self, extra: Mapping[str, str]) -> None:
        """Set further Kafka properties, which apply from the next start on."""
        with (self._home / "properties").open("a") as file:
            file.write("".join(f"{name}={value}\n" for name, value in extra.items()))

    def kill(self) -> None:
        """Send SIGKILL: nothing is flushed, but what was acknowledged is in the page cache and survives."""
        if self._process is not None:
            self._process.kill()

    def stop(self) -> None:
        """End it: with a home of its own in good order, else by a kill that deletes its data."""
        if self._keeps_data and self._process is not None:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)
        self.kill()
        if not self._keeps_data:
            shutil.rmtree(self._home, ignore_errors=True)

    def _format(self, properties: Mapping[str, str]) -> None:
        """Write the properties, and format the data folder unless it is formatted already."""
        file = self._home / "properties"
        file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
        if _known_id(self._home):
            return
        command = [
            *self._java,
            "kafka.tools.StorageTool",
            "format",
            f"--cluster-id={self.cluster.id}",
            f"--config={file}",
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"Apache Kafka did not format its storage:\n{(done.stdout + done.stderr)[-2000:]}")


def _known_id(home: Path | None) -> str | None:
    """Return the ID of the cluster whose formatted data is in a folder; None if there is none."""
    meta = None if home is None else home / "data/meta.properties"
    if meta is None or not meta.exists():
        return None
    found = re.search(r"^cluster\.id=(\S+)$", meta.read_text(), re.MULTILINE)
    return found[1] if found else None


def _new_id() -> str:
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def apache(say: Callable[[str], None]) -> Apache:
    """Return a running broker: BrokerUnavailable if `fetched` raises it."""
    return Apache(fetched(say))


def fetched(say: Callable[[str], None]) -> Path:
    """Return the folder of the jars, fetched if absent: BrokerUnavailable without Java 17 or Maven."""
    version = java_version()
    if version is None:
        raise BrokerUnavailable("no Java")
    if version < MIN_JAVA:
        raise BrokerUnavailable(f"Java {version} is older than {MIN_JAVA}")
    return jars.fetch(kraft.VERSION, say)


def java_version() -> int | None:
    """Return the major version of the `java` on the path; None without one."""
    try:
        done = subprocess.run(["java", "-version"], capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(\d+)', done.stderr)
    return int(found[1]) if found else None
