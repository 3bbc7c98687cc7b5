"""How a single Apache Kafka node is set up for a laptop: quick to start, small, quick to rebalance.

Law: topics are made on purpose only (`auto.create.topics.enable=false`), as on a cluster of one's own.
"""

import random
import socket
from contextlib import closing

VERSION = "4.4.0"
HEAP = "-Xmx512m"


def properties(port: int, controller: int, listen: str = "127.0.0.1") -> dict[str, str]:
    """The broker's properties, but for where its data lies. It listens on `listen` and is found on 127.0.0.1."""
    small = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"PLAINTEXT://{listen}:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        "group.consumer.min.session.timeout.ms": "1000",
        "broker.session.timeout.ms": "1500",  # a broker that was killed may come back after this (9 s by default)
        "broker.heartbeat.interval.ms": "300",
        "log.cleaner.dedupe.buffer.size": str(8 * 2**20),  # 128 MB by default, a quarter of our heap
    } | {
        f"{topic}.{name}": value
        for topic in small
        for name, value in (("replication.factor", "1"), ("num.partitions", "2"), ("min.isr", "1"))
        if (topic, name) != ("offsets.topic", "min.isr")
    }  # fmt: skip


def free_ports(count: int) -> list[int]:
    """Free ports below those that the kernel gives to outgoing connections.

    A client that tries a killed broker's port again and again would otherwise sooner or later be given that very port
    as its own, connect to itself, and keep the broker from coming back.
    """
    free: list[int] = []
    while len(free) < count:
        port = random.randint(15_000, 32_000)  # noqa: S311 - no secret
        if port not in free and _is_free(port):
            free.append(port)
    return free


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
