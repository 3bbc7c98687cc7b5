"""The configuration of a single Apache Kafka node for a laptop: small, quick to start and to rebalance.

Law: topics are created explicitly only (`auto.create.topics.enable=false`), as on a real cluster.
"""

import random
import socket
from contextlib import closing

VERSION = "4.4.0"
HEAP = "-Xmx512m"
SECOND = 2  # the number of a second broker


def properties(port: int, controller: int, listen: str = "127.0.0.1") -> dict[str, str]:
    """Return the broker's properties, without its data folder. It listens on `listen` and advertises 127.0.0.1."""
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
        "broker.session.timeout.ms": "1500",  # a killed broker may restart after this (9 s by default)
        "broker.heartbeat.interval.ms": "300",
        "log.cleaner.dedupe.buffer.size": str(8 * 2**20),  # 128 MB by default, a quarter of our heap
    } | {
        f"{topic}.{name}": value
        for topic in small
        for name, value in (("replication.factor", "1"), ("num.partitions", "2"), ("min.isr", "1"))
        if (topic, name) != ("offsets.topic", "min.isr")
    }  # fmt: skip


def guarded(port: int, controller: int, scram: int) -> dict[str, str]:
    """Return the properties of a broker with ACLs, as MSK has them: it also listens on port `scram` for SCRAM users.

    Its own listeners are super users, as MSK's brokers are. A user without an ACL may do anything to what has none,
    MSK's default, unless `allow.everyone.if.no.acl.found` is set to false.
    """
    plain = properties(port, controller)
    return plain | {
        "listeners": f"{plain['listeners']},SCRAM://127.0.0.1:{scram}",
        "advertised.listeners": f"{plain['advertised.listeners']},SCRAM://127.0.0.1:{scram}",
        "listener.security.protocol.map": f"{plain['listener.security.protocol.map']},SCRAM:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.scram.scram-sha-512.sasl.jaas.config":
            "org.apache.kafka.common.security.scram.ScramLoginModule required;",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "allow.everyone.if.no.acl.found": "true",
    }  # fmt: skip


def joining(port: int, controller: int) -> dict[str, str]:
    """Return the properties of a second broker of the cluster whose controller listens on `controller`."""
    return properties(port, controller) | {
        "process.roles": "broker",
        "node.id": str(SECOND),
        "listeners": f"PLAINTEXT://127.0.0.1:{port}",
    }


def free_ports(count: int) -> list[int]:
    """Return free ports below those that the kernel uses for outgoing connections.

    A client that keeps connecting to a killed broker's port would otherwise be given that port as its own at some
    time, connect to itself, and block the broker's restart.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = random.randint(15_000, 32_000)  # noqa: S311 - no secret
        if port not in ports and _is_free(port):
            ports.append(port)
    return ports


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
