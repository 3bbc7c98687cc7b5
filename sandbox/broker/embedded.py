"""librdkafka's mock cluster: a broker without Java, in this process, for a demo that paces itself.

Laws: every topic has 4 partitions, created at its first use; a partition keeps about its last 5 MB or 100,000
records, so it is not for benchmarks or chaos. It runs in a librdkafka thread, without Python's lock, listens on
the loopback address for other processes too, and ends with this process.
"""

from confluent_kafka import Producer, libversion

from sandbox.broker.broker import QUIET, Broker


class Embedded(Broker):
    """A mock cluster of one broker."""

    def __init__(self, reason: str = "") -> None:
        """Start it."""
        # The cluster exists as long as the client that created it.
        self._host: Producer | None = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, **QUIET})
        (broker,) = self._host.list_topics(timeout=60).brokers.values()
        super().__init__("embedded", f"{broker.host}:{broker.port}", libversion()[0], reason)

    def create_topic(self, name: str, partitions: int) -> int:  # noqa: ARG002 - the mock decides
        """Create it with 4 partitions: the mock has no CreateTopics, but creates any topic that a client asks about."""
        return self._await_leaders(self._admin(), name)

    def stop(self) -> None:
        """Stop it."""
        self._host = None
