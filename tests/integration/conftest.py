"""Fixtures of the tests on a real broker: one Kafka and one AWS emulator for all tests, a stage for each."""

import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest
from confluent_kafka.admin import AdminClient

from functions.pipelines.logins import PIPELINE
from sandbox.aws import LocalAws
from sandbox.broker.apache import Apache, apache
from sandbox.broker.broker import Broker
from sandbox.broker.embedded import Embedded
from sandbox.broker.errors import BrokerUnavailable
from tests.integration.stage import OUTPUT, PARTITIONS, Stage
from tests.integration.waiting import PATIENCE, eventually
from tests.proxy.proxy import Proxy

QUICK: Final = {"TANDEM_SLICE_SECONDS": "0.2", "TANDEM_TIME_MARGIN_SECONDS": "0.5"}
SESSION_SECONDS: Final = 5.0  # a busy machine may keep a member from its heartbeat for a second or two
MASK_KEY: Final = b"0123456789abcdef"  # the same for all, so that two stages have the same rows
HERE: Final = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run tests of real processes a second time if they fail: decision 20."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def kafka() -> Iterator[Apache | str]:
    """Apache Kafka, fetched if absent, or the reason why it cannot run here."""
    try:
        broker = apache(lambda _: None)
    except BrokerUnavailable as reason:
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
    """A broker with empty topics. The embedded broker starts quickly, so each test has its own."""
    if isinstance(kafka, Apache):
        empty(kafka)
        yield kafka
    else:
        with Embedded(kafka) as embedded:
            empty(embedded)
            yield embedded


@pytest.fixture
def real(kafka: Apache | str) -> Apache:
    """Apache Kafka, for what the embedded broker cannot do."""
    if isinstance(kafka, str):
        pytest.skip(f"needs Apache Kafka: {kafka}")
    return kafka


@pytest.fixture
def stage(broker: Broker, aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    return new_stage(broker, aws, tmp_path, monkeypatch)


@pytest.fixture
def other_stage(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A second stage on the same topics, with the same records."""
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
        monkeypatch.setenv(name, value)  # as the stage does, but only during this test
    return Stage(f"test{secrets.token_hex(4)}", PIPELINE, broker, aws, folder, SESSION_SECONDS, QUICK, MASK_KEY)


def empty(broker: Broker, topics: Sequence[str] = (PIPELINE.topic, OUTPUT), partitions: int = PARTITIONS) -> None:
    """Recreate the topics: their names are the pipeline's, so all its tests share them."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    old = [topic for topic in topics if topic in admin.list_topics(timeout=PATIENCE).topics]
    if isinstance(broker, Apache) and old:
        for done in admin.delete_topics(old).values():
            done.result(timeout=PATIENCE)
        eventually(lambda: not set(old) & set(admin.list_topics(timeout=PATIENCE).topics), lambda: f"{old} still exist")
    for topic in topics:
        assert broker.create_topic(topic, partitions) == partitions
