"""Which broker: `--broker auto|apache|embedded|HOST:PORT`.

Law: the user of a lesser broker is given the reason, in one line.
"""

import re
from collections.abc import Callable

from sandbox.broker.apache import apache
from sandbox.broker.broker import Broker
from sandbox.broker.docker import docker
from sandbox.broker.embedded import Embedded
from sandbox.broker.errors import BrokerUnavailable

CHOICES = "auto, apache, embedded or HOST:PORT"
ANSWER_SECONDS = 10.0


def choose(choice: str, say: Callable[[str], None]) -> Broker:
    """Return a running broker; `say` announces what is slow. BrokerUnavailable has one line for the user.

    auto: Apache Kafka by Java and Maven, else by Docker, else librdkafka's embedded broker; apache: without the last.
    """
    match choice:
        case "auto":
            return real(say, otherwise=lambda reasons: Embedded(f"{reasons}: using librdkafka's embedded broker"))
        case "apache":
            return real(say, otherwise=_refuse)
        case "embedded":
            return Embedded()
        case _:
            return external(choice)


def real(say: Callable[[str], None], otherwise: Callable[[str], Broker]) -> Broker:
    """Return Apache Kafka, or else the result of `otherwise`, given the reasons against it."""
    try:
        return apache(say)
    except BrokerUnavailable as java:
        try:
            broker = docker(say)
        except BrokerUnavailable as engine:
            return otherwise(f"{java} and {engine}")
        broker.reason = f"{java}: using the Docker image"
        return broker


def external(address: str) -> Broker:
    """Return the broker at an address, if it answers."""
    if not re.fullmatch(r"\S+:\d+", address):
        raise BrokerUnavailable(f"--broker {address}: expected {CHOICES}")
    broker = Broker("external", address)
    if not broker.answers(ANSWER_SECONDS):
        raise BrokerUnavailable(f"--broker {address}: no broker answers there within {ANSWER_SECONDS:g} s")
    return broker


def _refuse(reasons: str) -> Broker:
    raise BrokerUnavailable(f"--broker apache needs Java 17 and Maven, or Docker: {reasons}")
