"""What every run of the tests says first: which Kafka they meet. And an empty one for those that need their own."""

from collections.abc import Iterator

import pytest

from functions.local.broker import kraft
from functions.local.broker.apache import Apache, apache, fetched
from functions.local.broker.broker import Unavailable


def pytest_sessionstart(session: pytest.Session) -> None:
    """Fetch Apache Kafka if need be, once and before processes share the tests out."""
    terminal = session.config.pluginmanager.getplugin("terminalreporter")
    if terminal is None or hasattr(session.config, "workerinput"):
        return
    try:
        fetched(terminal.write_line)
    except Unavailable as reason:
        terminal.write_line(f"Kafka: {reason}, so librdkafka's embedded broker; tests that it cannot serve are skipped")
    else:
        terminal.write_line(f"Kafka: Apache Kafka {kraft.VERSION}")


@pytest.fixture(scope="module")
def empty_kafka() -> Iterator[Apache]:
    """Apache Kafka that holds nothing yet, for the tests of one file."""
    try:
        broker = apache(lambda _: None)
    except Unavailable as reason:
        pytest.skip(f"takes Apache Kafka: {reason}")
    with broker:
        yield broker
