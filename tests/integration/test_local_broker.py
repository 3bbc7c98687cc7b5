"""The local brokers, started. Apache Kafka needs Java 17, and Maven the first time."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from sandbox.broker import jars, kraft
from sandbox.broker.apache import MIN_JAVA, Apache, apache, java_version
from sandbox.broker.broker import Broker
from sandbox.broker.choose import choose
from sandbox.broker.docker import UNTIL_INPUT_ENDS, command
from sandbox.broker.embedded import Embedded
from sandbox.broker.errors import BrokerUnavailable
from tests.integration.waiting import PATIENCE, eventually

JAVA = (java_version() or 0) >= MIN_JAVA
JARS = (jars.cache() / f"kafka-{kraft.VERSION}").is_dir() or shutil.which("mvn") is not None
needs_kafka = pytest.mark.skipif(not (JAVA and JARS), reason="Apache Kafka needs Java 17 and Maven")

CONSUME = """
import sys
from confluent_kafka import Consumer
consumer = Consumer({"bootstrap.servers": sys.argv[1], "group.id": "other", "auto.offset.reset": "earliest"})
consumer.subscribe(["logins"])
while (message := consumer.poll(1)) is None or message.error(): pass
print(message.value().decode())
consumer.close()
"""
HOLD = """
import sys, time
from sandbox.broker.apache import apache
broker = apache(print)
print(broker.bootstrap, flush=True)
time.sleep(600)
"""


@pytest.fixture(scope="module")
def real() -> Iterator[Apache]:
    with apache(lambda _: None) as broker:
        yield broker


def produce(broker: Broker, topic: str, *values: bytes) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap, "acks": "all", "log_level": 0})
    for value in values:
        producer.produce(topic, value, partition=0)
    assert producer.flush(PATIENCE) == 0


def consume(broker: Broker, topic: str, count: int) -> list[bytes | None]:
    consumer = Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "test", "log_level": 0})
    consumer.assign([TopicPartition(topic, 0, 0)])
    values = [message.value() for message in consumer.consume(count, timeout=PATIENCE)]
    consumer.close()
    return values


@needs_kafka
def test_apache_creates_topics_as_requested_and_keeps_what_it_acknowledged_through_a_kill(real: Apache) -> None:
    assert (real.kind, real.version, real.reason) == ("apache", kraft.VERSION, "")
    assert real.create_topic("logins", 3) == 3
    assert real.create_topic("logins", 5) == 3
    produce(real, "logins", b"before")
    real.kill()
    assert not real.answers(0.2)
    real.start()
    produce(real, "logins", b"after")
    assert consume(real, "logins", 2) == [b"before", b"after"]


@needs_kafka
def test_a_running_broker_is_chosen_by_its_address_and_left_alone(real: Apache) -> None:
    with choose(real.bootstrap, print) as external:
        assert external.kind == "external"
        assert external.create_topic("elsewhere", 2) == 2
    assert real.answers(PATIENCE)


@needs_kafka
def test_apache_ends_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", HOLD], env=environment, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        broker = Broker("external", parent.stdout.readline().strip())
        assert broker.answers(PATIENCE)
        parent.send_signal(signal.SIGKILL)
    eventually(lambda: not broker.answers(0.2))


@needs_kafka
def test_a_failed_start_reports_kafkas_log_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(RuntimeError, match=r"num\.io\.threads"):
        Apache(jars.fetch(kraft.VERSION, print), extra={"num.io.threads": "0"})
    assert not list(tmp_path.iterdir())


def test_the_embedded_broker_serves_another_process() -> None:
    with choose("embedded", print) as broker:
        assert broker.kind == "embedded"
        assert broker.create_topic("logins", 6) == 4
        produce(broker, "logins", b"hello")
        done = subprocess.run(
            [sys.executable, "-c", CONSUME, broker.bootstrap],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        assert done.stdout == "hello\n"
    eventually(lambda: not broker.answers(0.2))


def test_without_java_and_docker_auto_falls_back_and_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with choose("auto", print) as broker:
        assert isinstance(broker, Embedded)
        assert broker.reason == "no Java and no Docker engine: using librdkafka's embedded broker"
    with pytest.raises(
        BrokerUnavailable, match=r"^--broker apache needs Java 17 and Maven, or Docker: no Java and no Docker"
    ):
        choose("apache", print)


@pytest.mark.parametrize("choice", ["kafka", "127.0.0.1:1"])
def test_an_address_that_is_none_or_does_not_answer_is_refused_in_a_line(
    choice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.broker.choose.ANSWER_SECONDS", 0.2)
    with pytest.raises(BrokerUnavailable, match=r"^--broker \S+: .+$"):
        choose(choice, print)


def test_an_interrupted_download_is_not_mistaken_for_a_complete_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maven = tmp_path / "mvn"
    maven.write_text(
        '#!/bin/sh\nmkdir -p "${6#*=}"\ntouch "${6#*=}/half.jar"\necho "[ERROR] no route to host"\nexit 1\n'
    )
    maven.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    said: list[str] = []
    with pytest.raises(BrokerUnavailable, match="no route to host"):
        jars.fetch("4.4.0", said.append, under=tmp_path / "cache")
    assert said == ["fetching Apache Kafka 4.4.0 from Maven Central (45 MB, once)"]
    assert not list((tmp_path / "cache").iterdir())
    maven.write_text(maven.read_text().replace("exit 1", "exit 0"))
    assert [jar.name for jar in jars.fetch("4.4.0", said.append, under=tmp_path / "cache").iterdir()] == ["half.jar"]


def test_the_container_listens_on_loopback_and_ends_with_its_input() -> None:
    assert "--publish=127.0.0.1:19000:19000" in command(19000, 19001)
    script = UNTIL_INPUT_ENDS.replace("/etc/kafka/docker/run", "sleep 600")
    with subprocess.Popen(["bash", "-c", script], stdin=subprocess.PIPE, start_new_session=True) as container:
        with pytest.raises(subprocess.TimeoutExpired):
            container.wait(0.3)
        assert container.stdin is not None
        container.stdin.close()
        assert container.wait(PATIENCE) == 0
    os.killpg(container.pid, signal.SIGKILL)  # the engine ends what is left in a container
