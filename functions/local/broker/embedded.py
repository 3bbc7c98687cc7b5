"""librdkafka's mock cluster: a broker without Java, in this process, for a demo that paces itself.

Laws: every topic has 4 partitions, made when it is first asked for; a partition keeps about its last 5 MB or 100,000
records, so it is not for benchmarks or chaos. It runs in a thread of librdkafka's, outside of Python's lock, listens on
the loopback address for other processes as well, and needs no guard: it ends with this process.
"""

from confluent_kafka import Producer, libversion

from functions.local.broker.broker import QUIET, Broker


class Embedded(Broker):
    """A mock cluster of one broker."""

    def __init__(self, reason: str = "") -> None:
        """Start it: at once."""
        # The cluster belongs to the client that asked for it, and lives as long.
        self._host: Producer | None = Producer({"bootstrap.servers": "mock", "test.mock.num.brokers": 1, **QUIET})
        (broker,) = self._host.list_topics(timeout=10).brokers.values()
        super().__init__("embedded", f"{broker.host}:{broker.port}", libversion()[0], reason)

    def create_topic(self, name: str, partitions: int) -> int:  # noqa: ARG002 - the mock decides
        """Make it, of 4 partitions: the mock knows no CreateTopics, but makes any topic that it is asked about."""
        return self._led(self._admin(), name)

    def stop(self) -> None:
        """End it."""
        self._host = None
