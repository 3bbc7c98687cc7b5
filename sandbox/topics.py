"""The topics of a run: created empty, and deleted at the end from a broker that others use."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # public, as its documentation has them
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from functions.core.errors import Misconfigured
from sandbox.broker.broker import Broker

PARTITIONS: Final = 4
MAX_MESSAGE_BYTES: Final = 8 * 2**20  # Kafka's default, 1 MB, would refuse a line of 1 MB
ANSWER_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class BrokerTopic:
    """An existing topic."""

    bootstrap: str
    name: str
    partitions: int


class PipelineTopics(AbstractContextManager["PipelineTopics"]):
    """The pipeline reads `source` and writes `outputs`. Misconfigured if an external broker already has one of them."""

    def __init__(self, broker: Broker, source_topic: str, output_topics: Sequence[str]) -> None:
        self._broker = broker
        self._admin = AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0})
        if broker.kind == "external":
            self._refuse_existing({source_topic, *output_topics})
        self.source = self.create(broker, source_topic)
        self.outputs = [self.create(broker, name) for name in output_topics]

    def _refuse_existing(self, names: set[str]) -> None:
        if existing := sorted(names & self._admin.list_topics(timeout=ANSWER_SECONDS).topics.keys()):
            message = f"has a topic {existing[0]} already, expected a broker without it"
            raise Misconfigured(f"--broker {self._broker.bootstrap}: {message}")

    @staticmethod
    def create(broker: Broker, name: str) -> BrokerTopic:
        """Create a topic for large messages if it does not exist."""
        partitions = broker.create_topic(name, PARTITIONS)
        if broker.kind != "embedded":  # which has no limit
            _allow_large(AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0}), name)
        return BrokerTopic(broker.bootstrap, name, partitions)

    def __exit__(self, *_: object) -> None:
        if self._broker.kind != "external":
            return
        for done in self._admin.delete_topics([each.name for each in (self.source, *self.outputs)]).values():
            try:
                done.result(timeout=ANSWER_SECONDS)
            except KafkaException:
                continue  # the result does not depend on it


def _allow_large(admin: AdminClient, name: str) -> None:
    entry = ConfigEntry("max.message.bytes", str(MAX_MESSAGE_BYTES), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(timeout=ANSWER_SECONDS)
