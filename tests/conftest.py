"""What every run of the tests says first: which Kafka they meet."""

import pytest

from functions.local.broker import kraft
from functions.local.broker.apache import fetched
from functions.local.broker.broker import Unavailable


def pytest_report_header(config: pytest.Config) -> str:
    """Fetches Apache Kafka if need be, once and before the tests share the work out."""
    terminal = config.pluginmanager.getplugin("terminalreporter")
    try:
        fetched(terminal.write_line)
    except Unavailable as reason:
        return f"Kafka: {reason}, so tests run on librdkafka's embedded broker where it can serve, else are skipped"
    return f"Kafka: Apache Kafka {kraft.VERSION}"
