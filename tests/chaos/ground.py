"""What a run stands on: a stage on Apache Kafka, and on an AWS emulator behind a fault proxy."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from functions import registry
from functions.local.aws import LocalAws
from functions.local.broker.apache import Apache, apache
from functions.local.stage import Stage
from tests.chaos.options import Options
from tests.proxy.proxy import Proxy

PARTITIONS: Final = 4  # at first
OUTPUT_PARTITIONS: Final = 4
SLICE_SECONDS: Final = 1.0
QUIET: Final = {"log_level": 0, "reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 500}


@dataclass
class Ground:
    """Both runtimes reach the stores through the proxy, the run itself goes straight to them."""

    stage: Stage
    broker: Apache
    proxy: Proxy
    partitions: int  # of the source topic

    def add_partitions(self, more: int) -> int:
        """Raise the source topic's number of partitions; how many there are now."""
        topic, wanted = self.stage.pipeline.topic, self.partitions + more
        admin = AdminClient({"bootstrap.servers": self.broker.bootstrap, **QUIET})
        admin.create_partitions([NewPartitions(topic, wanted)])[topic].result(timeout=30)
        self.partitions = self.broker.create_topic(topic, wanted)  # waits for their leaders
        return self.partitions


@contextmanager
def set_up(options: Options, say: Callable[[str], None]) -> Iterator[Ground]:
    """Everything ends with it. Unavailable where there is no Apache Kafka to be had."""
    pipeline = registry.load("logins")
    with (
        apache(say) as broker,
        LocalAws() as aws,
        Proxy(aws.endpoint) as proxy,
        TemporaryDirectory(prefix="tandem-chaos-") as folder,
    ):
        settings = proxy.environment | _settings(options)
        stage = Stage("chaos", pipeline, broker, aws, Path(folder), options.session, settings)
        broker.create_topic(pipeline.topics[0].name, OUTPUT_PARTITIONS)
        yield Ground(stage, broker, proxy, broker.create_topic(pipeline.topic, PARTITIONS))


def _settings(options: Options) -> dict[str, str]:
    return {
        "TANDEM_SLICE_SECONDS": str(SLICE_SECONDS),
        "TANDEM_DRAIN_SECONDS": str(2 * options.session),
        "TANDEM_BYTES_IN_FLIGHT": str(options.bytes_in_flight),
        "TANDEM_TIME_MARGIN_SECONDS": "1",
    }
