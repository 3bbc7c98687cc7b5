"""The set-up of a run: a local stack on Apache Kafka, with a fault proxy in front of the AWS emulator."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from sandbox.aws import LocalAws
from sandbox.broker.apache import Apache, apache
from sandbox.local_stack import local_stack
from sandbox.stage import LocalStage
from tests.chaos.options import ChaosOptions
from tests.proxy.proxy import Proxy

FIRST: Final = 1  # the number of the broker that is always there
SLICE_SECONDS: Final = 1.0
QUIET: Final = {"log_level": 0, "reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 500}


@dataclass
class ChaosStack:
    """Both runtimes reach the stores through the proxy; the run itself reaches them directly."""

    stage: LocalStage
    broker: Apache
    proxy: Proxy
    partitions: int  # of the source topic
    output_partitions: int
    second: Apache | None = None  # broker, if a fault has started one

    def add_partitions(self, count: int, broker: int = FIRST) -> int:
        """Add partitions to the source topic, on a broker; return how many the topic has now."""
        topic, wanted = self.stage.pipeline.topic, self.partitions + count
        admin = AdminClient({"bootstrap.servers": self.broker.bootstrap, **QUIET})
        new = NewPartitions(topic, wanted, replica_assignment=[[broker]] * count)
        admin.create_partitions([new])[topic].result(timeout=120)
        self.partitions = self.broker.create_topic(topic, wanted)  # waits for their leaders
        return self.partitions

    def second_broker(self) -> Apache:
        """Return a second broker of the cluster, started when it is first needed."""
        self.second = self.second or self.broker.second()
        return self.second


@contextmanager
def set_up(options: ChaosOptions, say: Callable[[str], None]) -> Iterator[ChaosStack]:
    """Everything is stopped at the end. BrokerUnavailable where Apache Kafka cannot run."""
    with (
        apache(say) as broker,
        LocalAws() as aws,
        Proxy(aws.endpoint) as proxy,
        local_stack("chaos", broker, aws, options.session, proxy.environment | _settings(options)) as stack,
    ):
        topics = stack.topics
        chaos = ChaosStack(stack.stage, broker, proxy, topics.source.partitions, topics.outputs[0].partitions)
        try:
            yield chaos
        finally:
            if chaos.second is not None:
                chaos.second.stop()


def _settings(options: ChaosOptions) -> dict[str, str]:
    return {
        "TANDEM_SLICE_SECONDS": str(SLICE_SECONDS),
        "TANDEM_DRAIN_SECONDS": str(2 * options.session),
        "TANDEM_BYTES_IN_FLIGHT": str(options.bytes_in_flight),
        "TANDEM_TIME_MARGIN_SECONDS": "1",
    }
