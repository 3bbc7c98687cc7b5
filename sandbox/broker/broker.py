"""A Kafka broker: started by us, or reached by its address.

Laws: `bootstrap` answers from construction until `stop`; a topic from `create_topic` has its leaders. A Broker that is
only an address is shared with others: `stop` does not stop it.
"""

import time
from contextlib import AbstractContextManager
from typing import Literal, Self

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

BrokerKind = Literal["apache", "docker", "embedded", "external"]
TOPIC_SECONDS = 120.0
QUIET = {"log_level": 0, "reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 200}


class Broker(AbstractContextManager["Broker"]):
    """`reason` says why it is not a better one; it is empty for the best."""

    def __init__(self, kind: BrokerKind, bootstrap: str, version: str = "", reason: str = "") -> None:
        self.kind: BrokerKind = kind
        self.bootstrap = bootstrap
        self.version = version
        self.reason = reason

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def create_topic(self, name: str, partitions: int) -> int:
        """Create a topic if it does not exist; return its number of partitions, which may differ from `partitions`."""
        admin = self._admin()
        try:
            admin.create_topics([NewTopic(name, partitions, 1)])[name].result(timeout=TOPIC_SECONDS)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        return self._await_leaders(admin, name)

    def stop(self) -> None:
        """Stop a broker that we started, and delete its data. Idempotent."""

    def answers(self, seconds: float) -> bool:
        """Whether it answers within this time."""
        try:
            return bool(self._admin().list_topics(timeout=seconds).brokers)
        except KafkaException:
            return False

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap, **QUIET})

    def _await_leaders(self, admin: AdminClient, name: str, seconds: float = TOPIC_SECONDS) -> int:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            topic = admin.list_topics(name, timeout=seconds).topics[name]
            if topic.partitions and all(partition.leader >= 0 for partition in topic.partitions.values()):
                return len(topic.partitions)
            time.sleep(0.02)
        raise TimeoutError(f"topic {name} has no leaders after {seconds:g} s")
