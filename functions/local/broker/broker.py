"""A Kafka broker to run against, whoever runs it.

Laws: `bootstrap` answers from the moment there is a Broker until `stop`; a topic from `create_topic` has its leaders.
A Broker that is only an address belongs to somebody else: `stop` leaves it alone.
"""

import time
from contextlib import AbstractContextManager
from typing import Literal, Self

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

Kind = Literal["apache", "docker", "embedded", "external"]
QUIET = {"log_level": 0, "reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 200}


class Unavailable(Exception):  # noqa: N818 - it says what is the case, as the other errors do
    """This broker cannot be had here. The message is one line for the user."""


class Broker(AbstractContextManager["Broker"]):
    """`reason` says why it is this one and not a better one, for the user; it is empty where there is none better."""

    def __init__(self, kind: Kind, bootstrap: str, version: str = "", reason: str = "") -> None:
        self.kind: Kind = kind
        self.bootstrap = bootstrap
        self.version = version
        self.reason = reason

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def create_topic(self, name: str, partitions: int) -> int:
        """Make it, if it is not there, and return how many partitions it has: not always those asked for."""
        admin = self._admin()
        try:
            admin.create_topics([NewTopic(name, partitions, 1)])[name].result(timeout=30)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
        return self._led(admin, name)

    def stop(self) -> None:
        """Idempotent. What a broker of ours held is lost."""

    def answers(self, seconds: float) -> bool:
        """Whether it does, within this time."""
        try:
            return bool(self._admin().list_topics(timeout=seconds).brokers)
        except KafkaException:
            return False

    def _admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap, **QUIET})

    def _led(self, admin: AdminClient, name: str, seconds: float = 30) -> int:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            topic = admin.list_topics(name, timeout=seconds).topics[name]
            if topic.partitions and all(partition.leader >= 0 for partition in topic.partitions.values()):
                return len(topic.partitions)
            time.sleep(0.02)
        raise TimeoutError(f"topic {name} has no leaders after {seconds:g} s")
