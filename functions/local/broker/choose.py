"""Which broker: `--broker auto|apache|embedded|HOST:PORT`.

Law: who gets less than the best is told why, in one line.
"""

import re
from collections.abc import Callable

from functions.local.broker.apache import apache
from functions.local.broker.broker import Broker, Unavailable
from functions.local.broker.docker import docker
from functions.local.broker.embedded import Embedded

CHOICES = "auto, apache, embedded or HOST:PORT"
ANSWER_SECONDS = 10.0


def choose(choice: str, say: Callable[[str], None]) -> Broker:
    """A running broker; `say` is told what takes long. Unavailable, with one line for the user, where it cannot be had.

    auto: Apache Kafka by Java and Maven, else by Docker, else librdkafka's embedded broker; apache: without the last.
    """
    match choice:
        case "auto":
            return real(say, otherwise=lambda why: Embedded(f"{why}: using librdkafka's embedded broker"))
        case "apache":
            return real(say, otherwise=_refuse)
        case "embedded":
            return Embedded()
        case _:
            return external(choice)


def real(say: Callable[[str], None], otherwise: Callable[[str], Broker]) -> Broker:
    """Apache Kafka, or else what `otherwise` makes of the reasons against it."""
    try:
        return apache(say)
    except Unavailable as java:
        try:
            broker = docker(say)
        except Unavailable as engine:
            return otherwise(f"{java} and {engine}")
        broker.reason = f"{java}: using the Docker image"
        return broker


def external(address: str) -> Broker:
    """Somebody else's, if it answers."""
    if not re.fullmatch(r"\S+:\d+", address):
        raise Unavailable(f"--broker {address}: takes {CHOICES}")
    broker = Broker("external", address)
    if not broker.answers(ANSWER_SECONDS):
        raise Unavailable(f"--broker {address}: no broker answers there within {ANSWER_SECONDS:g} s")
    return broker


def _refuse(why: str) -> Broker:
    raise Unavailable(f"--broker apache takes Java 17 and Maven, or Docker: {why}")
