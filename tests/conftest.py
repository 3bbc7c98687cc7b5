"""What all tests share: the folder that they run in, and an empty Apache Kafka for those that need their own."""

import os
import signal
from collections.abc import Iterator

import hypothesis
import pytest

from sandbox.broker.apache import Apache, apache
from sandbox.broker.errors import BrokerUnavailable

# Without a deadline: on a busy machine any example may take seconds.
hypothesis.settings.register_profile("tandem", deadline=None)
hypothesis.settings.load_profile("tandem")


@pytest.fixture(scope="session", autouse=True)
def _in_the_root(pytestconfig: pytest.Config) -> None:
    """Run in the root, wherever pytest was started: tests start processes of `sandbox` and `functions`."""
    os.chdir(pytestconfig.rootpath)


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c() -> None:
    """Let processes of the tests end on SIGINT. A shell's background jobs ignore it, and so would their children."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def empty_kafka() -> Iterator[Apache]:
    """Apache Kafka that holds nothing yet, for the tests of one file."""
    try:
        broker = apache(lambda _: None)
    except BrokerUnavailable as reason:
        pytest.skip(f"takes Apache Kafka: {reason}")
    with broker:
        yield broker
