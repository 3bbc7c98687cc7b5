"""Apache Iceberg's sink on Kafka Connect, from Maven Central: the same topic to the same S3, as Parquet, exactly once.

It keeps every field and validates nothing but JSON; the lake is the only one of Tandem's effects that it has.
"""

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from sandbox.bench.fill import fill
from sandbox.bench.http import POLL_SECONDS, Site, cpu_seconds
from sandbox.bench.programs.meter import peak_mib
from sandbox.bench.result import Failed, Result, Skipped, environment
from sandbox.broker import jars, kraft
from sandbox.process import Process

CONNECT: Final = "4.1.0"  # Iceberg's connector does not load on Kafka 4.4
ICEBERG: Final = "1.12.0"
SDK: Final = "2.33.0"
DEPENDENCIES: Final = (
    f"org.apache.kafka:connect-runtime:{CONNECT}",
    f"org.apache.kafka:connect-json:{CONNECT}",
    f"org.apache.iceberg:iceberg-kafka-connect:{ICEBERG}",
    f"org.apache.iceberg:iceberg-aws:{ICEBERG}",
    f"org.apache.iceberg:iceberg-parquet:{ICEBERG}",
    *(f"software.amazon.awssdk:{name}:{SDK}" for name in ("s3", "sts", "kms", "glue", "dynamodb")),
    f"software.amazon.awssdk:url-connection-client:{SDK}",
    "org.xerial:sqlite-jdbc:3.50.3.0",
    "org.apache.hadoop:hadoop-client-api:3.4.1",
    "org.apache.hadoop:hadoop-client-runtime:3.4.1",
)
FETCH_SECONDS: Final = 300
SETTLE_SECONDS: Final = 120.0
PARTITIONS: Final = 4
COMMIT_MS: Final = 1000
MIN_RECORDS: Final = 50_000  # fewer would measure the compiler of the JVM
WARM_UP: Final = 20_000  # records, for the compiler of the JVM
WORKER: Final = {
    "key.converter": "org.apache.kafka.connect.converters.ByteArrayConverter",
    "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "value.converter.schemas.enable": "false",
    "offset.flush.interval.ms": "1000",
    "plugin.discovery": "service_load",
    "listeners": "http://127.0.0.1:0",
}
SINK: Final = {
    "connector.class": "org.apache.iceberg.connect.IcebergSinkConnector",
    "tasks.max": "1",
    "iceberg.tables": "bench.logins",
    "iceberg.tables.auto-create-enabled": "true",
    "iceberg.control.commit.interval-ms": str(COMMIT_MS),
    "iceberg.catalog.catalog-impl": "org.apache.iceberg.jdbc.JdbcCatalog",
    "iceberg.catalog.jdbc.schema-version": "V1",
    "iceberg.catalog.warehouse": "s3://kafka-connect/warehouse",
    "iceberg.catalog.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
    "iceberg.catalog.s3.path-style-access": "true",
    "iceberg.catalog.s3.access-key-id": "bench",
    "iceberg.catalog.s3.secret-access-key": "bench",
    "iceberg.catalog.client.region": "us-east-1",
    "iceberg.catalog.http-client.type": "urlconnection",
    "consumer.override.auto.offset.reset": "earliest",
    "consumer.override.max.poll.records": "5000",
    "iceberg.kafka.auto.offset.reset": "earliest",
}


def sink(used: Site, folder: Path, values: Sequence[bytes], say: Callable[[str], None]) -> Result:
    """Return what the sink needs for these records, after a warm-up: until their offsets are committed."""
    classes = f"{_fetched(folder, say)}/*:{_logging()}"
    name = f"sink{uuid4().hex[:6]}"
    topic, control = f"bench-{name}", f"control-{name}"
    admin = AdminClient({"bootstrap.servers": used.bootstrap})
    for created in admin.create_topics([NewTopic(topic, PARTITIONS, 1), NewTopic(control, 1, 1)]).values():
        created.result(timeout=30)
    with tempfile.TemporaryDirectory(prefix="tandem-bench-connect-") as home:
        arguments = _written(used, Path(home), name, topic, control)
        java = ["java", "-Xmx1g", "-XX:+UseSerialGC", "-Dlog4j2.level=WARN", "-cp", classes]
        command = [*java, "org.apache.kafka.connect.cli.ConnectStandalone", *arguments]
        with Process(command, Path(home) / "connect.log", environment(used.stores.environment())) as process:
            warm, group = values[:WARM_UP], Group(used.bootstrap, f"connect-{name}", topic, process)
            group.commits(warm, len(warm))
            before = cpu_seconds(process.pid)
            seconds = group.commits(values, len(warm) + len(values))
            cpu = cpu_seconds(process.pid) - before
            return Result(len(values), seconds, cpu, peak_mib(Path(f"/proc/{process.pid}/status")))


@dataclass(frozen=True, slots=True)
class Group:
    """The group with which the sink's process reads the topic."""

    bootstrap: str
    name: str
    topic: str
    process: Process

    def commits(self, values: Sequence[bytes], target: int) -> float:
        """Produce the records; return the seconds until the group has committed `target` records in all."""
        began = time.monotonic()
        fill(self.bootstrap, self.topic, values, PARTITIONS)
        consumer = Consumer({"bootstrap.servers": self.bootstrap, "group.id": self.name})
        partitions = [TopicPartition(self.topic, number) for number in range(PARTITIONS)]
        while sum(max(0, one.offset) for one in consumer.committed(partitions, timeout=10)) < target:
            if not self.process.running or time.monotonic() - began > SETTLE_SECONDS:
                raise Failed(f"the sink did not commit its records: {self.process.tail(1)}")
            time.sleep(POLL_SECONDS)
        consumer.close()
        return time.monotonic() - began


def _written(used: Site, home: Path, name: str, topic: str, control: str) -> list[str]:
    """Write both files of properties, and return their paths."""
    worker = WORKER | {
        "bootstrap.servers": used.bootstrap,
        "offset.storage.file.filename": str(home / "offsets"),
    }
    connector = SINK | {
        "name": name,
        "topics": topic,
        "iceberg.control.topic": control,
        "iceberg.catalog.uri": f"jdbc:sqlite:{home}/catalog.db",
        "iceberg.catalog.s3.endpoint": used.stores.address,
    }
    files = {home / "worker.properties": worker, home / "sink.properties": connector}
    for file, properties in files.items():
        file.write_text("".join(f"{key}={value}\n" for key, value in properties.items()), encoding="utf-8")
    return list(map(str, files))


def _fetched(folder: Path, say: Callable[[str], None]) -> Path:
    """Return the folder of the jars. Raises Skipped without Java or Maven, or if Maven cannot fetch them."""
    home = folder / f"connect-{CONNECT}-iceberg-{ICEBERG}"
    if home.exists():
        return home
    if shutil.which("mvn") is None or shutil.which("java") is None:
        raise Skipped("Kafka Connect needs Java and Maven")
    say("fetching Kafka Connect and Iceberg's sink from Maven Central (140 MB, once)")
    with tempfile.TemporaryDirectory(prefix=".connect-", dir=folder) as work:
        pom, copied = Path(work) / "pom.xml", Path(work) / "jars"
        pom.write_text(_pom(), encoding="utf-8")
        command = [
            "mvn",
            "-q",
            "-B",
            "-f",
            str(pom),
            jars.COPY,
            f"-DoutputDirectory={copied}",
            "-DincludeScope=runtime",
        ]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=FETCH_SECONDS)
        except subprocess.TimeoutExpired:
            raise Skipped(f"Maven needed more than {FETCH_SECONDS} s for Kafka Connect") from None
        if done.returncode:
            reason = next((line for line in done.stdout.splitlines() if "ERROR" in line), "no reason given")
            raise Skipped(f"Maven could not fetch Kafka Connect: {reason[:200]}")
        copied.rename(home)
    return home


def _pom() -> str:
    coordinates = (dependency.split(":") for dependency in DEPENDENCIES)
    listed = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>"
        "</dependency>"
        for group, artifact, version in coordinates
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>tandem</groupId><artifactId>connect</artifactId><version>1</version><packaging>pom</packaging>"
        f"<dependencies>{listed}</dependencies></project>"
    )


def _logging() -> str:
    """Return the class path of the broker's logging, which Kafka Connect does not bring."""
    return ":".join(map(str, (jars.cache() / f"kafka-{kraft.VERSION}").glob("log4j*.jar")))
