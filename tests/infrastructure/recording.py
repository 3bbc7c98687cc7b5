"""Both runtimes in this process, on emulated stores and a broker, and every request that they make.

They run with the variables of the synthesised templates; only how to reach and to authenticate with Kafka is ours.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, Final

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.session import Session
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from functions import settings
from functions.adapters import aws
from functions.adapters.log import logger
from functions.adapters.topic import PRODUCER
from functions.bootstrap import App
from functions.pipelines.logins import PIPELINE
from functions.runtimes.msk import handler
from functions.runtimes.worker import process
from functions.runtimes.worker.client import consumer_settings
from functions.runtimes.worker.lag import Lag
from tests.integration.waiting import eventually
from tests.unit.runtimes.world import event, login

SECONDS: Final = 30
BAD: Final = b"not JSON"
GAP: Final = 100  # offsets


@dataclass
class Recorded:
    """Requests: of AWS's services as (service, operation, parameters), of Kafka's brokers their kinds."""

    aws: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    consumer: set[str] = field(default_factory=set)
    producer: set[str] = field(default_factory=set)
    producers: list[Producer] = field(default_factory=list)
    broken: bool = False

    def session(self) -> Session:
        """One that records every request, and loses the answer to the first lake object: so it is met, and read."""
        session = Session()
        session.register("provide-client-params", self._asked)
        session.register("after-call.s3.PutObject", self._answered)
        return session

    def kafka(self, into: set[str]) -> Callable[[str], None]:
        """A callback for librdkafka's statistics."""
        return lambda text: into.update(_requests(text))

    def _asked(self, **event: Any) -> None:
        model = event["model"]
        self.aws.append((model.service_model.service_name, model.name, event["params"]))
        event["context"]["key"] = event["params"].get("Key")  # which the answer's event has, too: threads ask at once

    def _answered(self, **event: Any) -> None:
        if not self.broken and str(event["context"]["key"]).endswith(".parquet"):
            self.broken = True
            raise EndpointConnectionError(endpoint_url="http://nowhere")


@dataclass
class Context:
    """The part of Lambda's context that the handler uses."""

    aws_request_id: str = "6f1a"

    def get_remaining_time_in_millis(self) -> int:
        return SECONDS * 1000


def record(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """Record the requests of every client created from now on."""
    recorded, learn = Recorded(), Lag.learn

    def producer(chosen: dict[str, Any]) -> Producer:
        recorded.producers.append(Producer(chosen))
        return recorded.producers[-1]

    def record(lag: Lag, statistics: str) -> bool:
        recorded.kafka(recorded.consumer)(statistics)
        return learn(lag, statistics)

    def admin(chosen: dict[str, Any]) -> AdminClient:
        """The worker asks brokers by a separate client, in the same role."""
        recording = {"stats_cb": recorded.kafka(recorded.consumer), "statistics.interval.ms": 100}
        return AdminClient(chosen | recording)

    monkeypatch.setattr(aws, "Session", recorded.session)
    monkeypatch.setattr("confluent_kafka.Producer", producer)
    monkeypatch.setitem(PRODUCER, "stats_cb", recorded.kafka(recorded.producer))
    monkeypatch.setitem(PRODUCER, "statistics.interval.ms", 100)
    monkeypatch.setattr(
        process, "consumer_settings", lambda *given: consumer_settings(*given) | {"statistics.interval.ms": 1000}
    )
    monkeypatch.setattr(Lag, "learn", record)
    monkeypatch.setattr(process, "AdminClient", admin)
    return recorded


def run_msk(recorded: Recorded) -> None:
    """A batch with a reject, of which the answer to a put is lost, and one that begins after a gap."""
    handler._runtime.cache_clear()
    try:
        for first in (0, GAP):
            batch = event(p0=[login(), BAD, login(user_id="u-2")])
            for one in batch["records"]["user-login-0"]:
                one["offset"] += first
            assert handler.handler(batch, Context()) == {"records": 3}  # type: ignore[arg-type]
        _wait_for_producer(recorded)
    finally:
        handler._runtime.cache_clear()


def run_worker(recorded: Recorded, bootstrap: str) -> None:
    """The same records from a topic, until they are committed, and metrics have been put to CloudWatch."""
    source = Producer({"bootstrap.servers": bootstrap})
    for value in (login(), BAD, login(user_id="u-2")):
        source.produce(PIPELINE.topic, value, partition=0)
    source.flush(SECONDS)
    chosen, stopping = settings.read().model_copy(update={"cloudwatch_seconds": 1.0}), Event()
    worker = Thread(target=process.serve, args=(App(chosen), stopping, logger(chosen)))
    worker.start()
    try:
        eventually(lambda: "OffsetCommit" in recorded.consumer, lambda: recorded.consumer)
        eventually(
            lambda: any(operation == "PutMetricData" for _, operation, _ in recorded.aws), lambda: recorded.consumer
        )
    finally:
        stopping.set()
        worker.join()
    _wait_for_producer(recorded)


def _wait_for_producer(recorded: Recorded) -> None:
    def measured() -> bool:
        recorded.producers[-1].poll(0.05)
        return "Produce" in recorded.producer

    eventually(measured, lambda: recorded.producer)
    recorded.producers.clear()  # before their broker


def _requests(statistics: str) -> set[str]:
    """The kinds of requests that the client has sent (librdkafka, STATISTICS.md: brokers.*.req)."""
    brokers = json.loads(statistics)["brokers"].values()
    return {kind for broker in brokers for kind, count in broker["req"].items() if count}
