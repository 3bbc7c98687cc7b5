"""Apache Kafka's jars, from Maven Central, kept in the user's cache.

Laws: the folder of a version is complete or absent, because it is filled under another name and then renamed; one
process fetches at a time, the others wait for it. Run as a program, this module fetches silently and exits 0 even if it
fails: the process that needs the jars fetches again and reports the reason. It imports nothing but Python's standard
library, so that it can run while packages are being installed.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sandbox.broker import kraft
from sandbox.broker.errors import BrokerUnavailable

COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
LOG4J = "2.25.5"  # the version that Kafka brings; only the bridge to it is missing among its dependencies
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tandem</groupId><artifactId>broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{kafka}</version></dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>{log4j}</version>
    </dependency>
  </dependencies>
</project>
"""


def cache() -> Path:
    """The folder for downloads: $XDG_CACHE_HOME/tandem, or ~/.cache/tandem."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tandem"


def fetch(version: str, say: Callable[[str], None], under: Path | None = None) -> Path:
    """Return the folder of Kafka's jars, fetching them if it is absent.

    Raises:
        BrokerUnavailable: without Maven, or when Maven can't reach its repository.
    """
    folder = (under or cache()) / f"kafka-{version}"
    if folder.is_dir():
        return folder
    if shutil.which("mvn") is None:
        raise BrokerUnavailable("no Maven")
    say(f"fetching Apache Kafka {version} from Maven Central (45 MB, once)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _alone(folder.parent):
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as work:
                _copied(Path(work), version).rename(folder)
    return folder


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system releases when this process ends."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _copied(work: Path, version: str) -> Path:
    pom, jars = work / "pom.xml", work / "jars"
    pom.write_text(POM.format(kafka=version, log4j=LOG4J))
    command = ["mvn", "-q", "-B", "-f", str(pom), COPY, f"-DoutputDirectory={jars}", "-DincludeScope=runtime"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        said = next((line for line in done.stdout.splitlines() if "ERROR" in line), "no reason given")
        raise BrokerUnavailable(f"Maven could not fetch Apache Kafka ({said.removeprefix('[ERROR] ')[:200]})")
    return jars


if __name__ == "__main__":
    with suppress(BrokerUnavailable, OSError):
        fetch(kraft.VERSION, lambda _: None)
