"""Apache Kafka itself, from Maven Central, kept in the user's cache.

Law: the folder of a version is whole or not there. It is filled under another name and renamed.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from functions.local.broker.broker import Unavailable

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
    """Where fetched things are kept: $XDG_CACHE_HOME/tandem, or ~/.cache/tandem."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tandem"


def fetch(version: str, say: Callable[[str], None], under: Path | None = None) -> Path:
    """The folder of Kafka's jars, fetched if it is not there: Unavailable without Maven or Maven Central."""
    folder = (under or cache()) / f"kafka-{version}"
    if folder.is_dir():
        return folder
    if shutil.which("mvn") is None:
        raise Unavailable("no Maven")
    say(f"fetching Apache Kafka {version} from Maven Central (45 MB, once)")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as work:
        _rename(_copied(Path(work), version), folder)
    return folder


def _copied(work: Path, version: str) -> Path:
    pom, jars = work / "pom.xml", work / "jars"
    pom.write_text(POM.format(kafka=version, log4j=LOG4J))
    command = ["mvn", "-q", "-B", "-f", str(pom), COPY, f"-DoutputDirectory={jars}", "-DincludeScope=runtime"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        said = next((line for line in done.stdout.splitlines() if "ERROR" in line), "no reason given")
        raise Unavailable(f"Maven could not fetch Apache Kafka ({said.removeprefix('[ERROR] ')[:200]})")
    return jars


def _rename(jars: Path, folder: Path) -> None:
    try:
        jars.rename(folder)
    except OSError:  # another process was quicker
        if not folder.is_dir():
            raise
