"""The demo's topics: made by it, empty at first, and gone afterwards from a broker that is not its own."""

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
from functions.local.broker.broker import Broker

PARTITIONS: Final = 4
LARGEST: Final = 8 * 2**20  # bytes of a batch: Kafka's default, 1 MB, would refuse a line of 1 MB
WAIT: Final = 30.0


@dataclass(frozen=True, slots=True)
class Topic:
    """Where to find it, and how many partitions it has."""

    bootstrap: str
    name: str
    partitions: int


class Topics(AbstractContextManager["Topics"]):
    """`source` is what the pipeline reads, `output` what it writes. Misconfigured if somebody else's broker has one."""

    def __init__(self, broker: Broker, source: str, output: str) -> None:
        self._broker = broker
        self._admin = AdminClient({"bootstrap.servers": broker.bootstrap, "log_level": 0})
        if broker.kind == "external":
            self._refuse_existing({source, output})
        self.source, self.output = self._make(source), self._make(output)

    def _refuse_existing(self, names: set[str]) -> None:
        if there := sorted(names & self._admin.list_topics(timeout=WAIT).topics.keys()):
            what = f"has a topic {there[0]} already, the demo takes a broker without it"
            raise Misconfigured(f"--broker {self._broker.bootstrap}: {what}")

    def _make(self, name: str) -> Topic:
        partitions = self._broker.create_topic(name, PARTITIONS)
        if self._broker.kind != "embedded":  # it knows no limit
            self._allow_large(name)
        return Topic(self._broker.bootstrap, name, partitions)

    def _allow_large(self, name: str) -> None:
        entry = ConfigEntry("max.message.bytes", str(LARGEST), incremental_operation=AlterConfigOpType.SET)
        resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
        for done in self._admin.incremental_alter_configs([resource]).values():
            done.result(timeout=WAIT)

    def __exit__(self, *_: object) -> None:
        if self._broker.kind != "external":
            return
        for done in self._admin.delete_topics([self.source.name, self.output.name]).values():
            try:
                done.result(timeout=WAIT)
            except KafkaException:
                continue  # nothing that the demo found out depends on it
