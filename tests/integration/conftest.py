"""What the tests on a real broker share: one Kafka and one AWS emulator for all of them, a stage for each."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from confluent_kafka.admin import AdminClient

from functions.local.aws import LocalAws
from functions.local.broker.apache import Apache, apache
from functions.local.broker.broker import Broker, Unavailable
from functions.local.broker.embedded import Embedded
from functions.pipelines.logins import PIPELINE
from tests.integration.stage import OUTPUT, PARTITIONS, Stage
from tests.integration.waiting import eventually
from tests.proxy.proxy import Proxy

QUICK: Final = {"TANDEM_SLICE_SECONDS": "0.2", "TANDEM_TIME_MARGIN_SECONDS": "0.5"}
MASK_KEY: Final = b"0123456789abcdef"  # the same for all, so that two stages have the same rows


@pytest.fixture(scope="session")
def kafka() -> Iterator[Apache | str]:
    """Apache Kafka, or why there is none here; the header of the run has said so."""
    try:
        broker = apache(lambda _: None)
    except Unavailable as reason:
        yield str(reason)
    else:
        with broker:
            yield broker


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    with LocalAws() as emulator:
        yield emulator


@pytest.fixture
def broker(kafka: Apache | str) -> Iterator[Broker]:
    """With empty topics. An embedded broker starts at once, so there each test has its own."""
    if isinstance(kafka, Apache):
        empty(kafka)
        yield kafka
    else:
        with Embedded(kafka) as embedded:
            empty(embedded)
            yield embedded


@pytest.fixture
def real(kafka: Apache | str) -> Apache:
    """For what the embedded broker cannot do."""
    if isinstance(kafka, str):
        pytest.skip(f"takes Apache Kafka: {kafka}")
    return kafka


@pytest.fixture
def stage(broker: Broker, aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return new_stage(broker, aws, tmp_path, monkeypatch)


@pytest.fixture
def other_stage(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A second one on the same topics, with the same records."""
    folder = tmp_path / "other"
    folder.mkdir()
    other = new_stage(stage.broker, stage.aws, folder, monkeypatch)
    other.produced = stage.produced
    return other


@pytest.fixture
def proxy(aws: LocalAws) -> Iterator[Proxy]:
    with Proxy(aws.endpoint) as between:
        yield between


def new_stage(broker: Broker, aws: LocalAws, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)  # as the stage does, but for this test alone
    session = 1.5 if broker.kind == "apache" else 4
    return Stage(f"test-{secrets.token_hex(4)}", PIPELINE, broker, aws, folder, session, QUICK, MASK_KEY)


def empty(broker: Broker) -> None:
    """Make the topics anew: their names are the pipeline's, so every test has the same."""
    topics = [PIPELINE.topic, OUTPUT]
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    old = [topic for topic in topics if topic in admin.list_topics(timeout=10).topics]
    if isinstance(broker, Apache) and old:
        for done in admin.delete_topics(old).values():
            done.result(timeout=10)
        eventually(lambda: not set(old) & set(admin.list_topics(timeout=10).topics), lambda: f"{old} are still there")
    for topic in topics:
        assert broker.create_topic(topic, PARTITIONS) == PARTITIONS
