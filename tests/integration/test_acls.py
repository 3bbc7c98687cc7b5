"""A stage with SCRAM on a real broker that denies whatever no ACL allows."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined] # documented, and not in `__all__`
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from functions.adapters.brokers import KafkaBrokers
from functions.adapters.kafka_acls import KafkaAccessControl
from functions.adapters.memory_kafka import MemoryAccessControl
from functions.core import names
from functions.core.acls import Acl, Operation, ResourceKind, required
from functions.core.errors import Refused
from functions.core.operator_ports import AccessControl
from functions.core.pipeline import AnyPipeline
from functions.core.sinks import Lake, Topic
from functions.pipelines.logins import PIPELINE
from sandbox.aws import LocalAws
from sandbox.broker.apache import Apache, fetched
from sandbox.broker.errors import BrokerUnavailable
from tests.integration.conftest import MASK_KEY, QUICK, SESSION_SECONDS
from tests.integration.records import logins
from tests.integration.stage import OUTPUT, PARTITIONS, Stage
from tests.integration.waiting import PATIENCE, eventually
from tests.integration.worker import ProbedWorker

OTHER: Final[AnyPipeline] = replace(
    PIPELINE, name="orders", topic="user-order", sinks=(Lake(), Topic("processed-user-order", key="user_id"))
)
TOPICS: Final = (PIPELINE.topic, OUTPUT, OTHER.topic, OTHER.topics[0].name)
SHOP: Final = "shop"  # a producer, which is none of the stage's users
STAGE: Final = f"acl{secrets.token_hex(3)}"
ANSWER_SECONDS: Final = 60
PASSWORD: Final = "not-secret"
TANDEM: Final = (sys.executable, "-m", "tests.integration.scram_tandem")
LOGINS, ORDERS = (names.kafka_user(STAGE, pipeline.name) for pipeline in (PIPELINE, OTHER))
ADMIN, KEDA = names.admin_user(STAGE), names.scaler_user(STAGE)
LOGINS_GROUP, ORDERS_GROUP = (names.consumer_group(STAGE, pipeline.name) for pipeline in (PIPELINE, OTHER))
DENY: Final = {"allow.everyone.if.no.acl.found": "false"}
ALLOW: Final = {"allow.everyone.if.no.acl.found": "true"}
DENIED: Final = {KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED}


@dataclass(frozen=True)
class Guarded:
    """A stage on a broker with ACLs, whose setting denies by now, and what was seen on the way there."""

    stage: Stage
    broker: Apache
    lockout: str
    """How the admin fared when the setting denied before there was an ACL."""
    first: list[str]
    """What `tandem acls` said at first, then with --execute, then again."""

    def client(self, user: str, **settings: Any) -> dict[str, Any]:
        return {
            "bootstrap.servers": self.broker.scram, "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": user, "sasl.password": PASSWORD, "log_level": 0,
            **settings,
        }  # fmt: skip

    def access(self, user: str) -> KafkaAccessControl:
        return KafkaAccessControl(lambda: self.client(user))

    def tandem(self, *arguments: str, exit_code: int = 0, **variables: str) -> str:
        done = subprocess.run(
            [*TANDEM, *arguments],
            env=os.environ | self.stage.environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def restart(self, setting: dict[str, str]) -> None:
        self.broker.kill()
        self.broker.configure(setting)
        self.broker.start()

    def join(self, user: str, topic: str, group: str) -> int | None:
        """Return why a user can't join a group to read a topic; None if it gets a record, or the end."""
        consumer = Consumer(self.client(user, **{"group.id": group, "enable.partition.eof": True}))
        try:
            consumer.subscribe([topic])
            return _reason(consumer)
        finally:
            consumer.close()

    def read(self, user: str, topic: str, group: str) -> int | None:
        """Return why a user can't read a partition that it assigns itself; None if it gets a record, or the end."""
        consumer = Consumer(self.client(user, **{"group.id": group, "enable.partition.eof": True}))
        try:
            consumer.assign([TopicPartition(topic, 0, 0)])
            return _reason(consumer)
        finally:
            consumer.close()

    def write(self, user: str, topic: str, *, idempotent: bool = False) -> int | None:
        """Return why a user can't write a topic; None if it can."""
        found: list[KafkaError | None] = []
        producer = Producer(self.client(user, **{"enable.idempotence": idempotent}))
        producer.produce(topic, b"{}", partition=0, on_delivery=lambda error, _: found.append(error))
        producer.flush(PATIENCE)
        (error,) = found
        return None if error is None else error.code()


def _reason(consumer: Consumer) -> int | None:
    (message,) = consumer.consume(1, ANSWER_SECONDS)
    error = message.error()
    return None if error is None or error.code() == KafkaError._PARTITION_EOF else error.code()


@pytest.fixture(scope="module")
def guarded(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """The whole way: denied without ACLs, allowed, ACLs, denied with ACLs."""
    try:
        jars = fetched(lambda _: None)
    except BrokerUnavailable as reason:
        pytest.skip(f"needs Apache Kafka: {reason}")
    folder = tmp_path_factory.mktemp("acls")
    with pytest.MonkeyPatch.context() as patch, Apache(jars, DENY, has_acls=True) as broker:
        for name, value in aws.environment().items():
            patch.setenv(name, value)
        make_users(broker)
        for topic in TOPICS:
            broker.create_topic(topic, PARTITIONS)
        stage = Stage(
            STAGE, PIPELINE, broker, aws, folder, SESSION_SECONDS, QUICK | credentials(broker, folder), MASK_KEY
        )
        made = Guarded(stage, broker, "", [])
        lockout = made.tandem("acls", "--execute", exit_code=1)
        made.restart(ALLOW)
        first = [
            made.tandem("acls", "--all", "--producer", SHOP, exit_code=3),
            made.tandem("acls", "--all", "--producer", SHOP, "--execute"),
            made.tandem("acls", "--all"),
        ]
        made.access(ADMIN).create(required(STAGE, [OTHER]))
        made.restart(DENY)
        yield replace(made, lockout=lockout, first=first)


def make_users(broker: Apache) -> None:
    """Create all users, with the right of the brokers: on MSK, that is the work of the secrets' association."""
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    users: list[Any] = [
        UserScramCredentialUpsertion(user, info, PASSWORD.encode()) for user in (LOGINS, ORDERS, ADMIN, KEDA, SHOP)
    ]
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    for done in admin.alter_user_scram_credentials(users).values():
        done.result(PATIENCE)


def credentials(broker: Apache, folder: Path) -> dict[str, str]:
    """Write the secrets, and return the variables that differ from those of a stage without SCRAM."""
    for file, user in {"logins": LOGINS, "admin": ADMIN}.items():
        (folder / f"scram-{file}").write_text(json.dumps({"username": user, "password": PASSWORD}))
    return {
        "TANDEM_BOOTSTRAP_SERVERS": broker.scram,
        "TANDEM_KAFKA_AUTH": "scram",
        "TANDEM_SCRAM_FROM": f"file:{folder}/scram-{{pipeline}}",
        "TANDEM_ADMIN_SCRAM_FROM": f"file:{folder}/scram-admin",
    }


def test_to_deny_before_there_are_acls_locks_the_admin_out(guarded: Guarded) -> None:
    assert "brokers: cannot create ACLs: " in guarded.lockout
    assert "authorization failed" in guarded.lockout.lower()
    assert "deploy it with requires_acls false first" in guarded.lockout


def test_the_verb_says_what_it_closes_and_has_nothing_left_to_do(guarded: Guarded) -> None:
    planned, added, again = guarded.first
    assert f"  {LOGINS}: read topic user-login\n" in planned
    assert "topic user-login: its first ACLs will close it to every user without one" in planned
    assert added.startswith("added ")
    assert again == "every user has the ACLs that it needs, and no other\n"


def test_a_worker_settles_with_its_pipelines_user(guarded: Guarded) -> None:
    stage = guarded.stage
    stage.produce(logins(200))
    with ProbedWorker(stage.environment, stage.folder / "worker.log", (*TANDEM, "worker")).ready() as worker:
        stage.settle(worker)
        eventually(lambda: stage.committed() == stage.ends(), stage.state)
        assert "logins: keeping up" in guarded.tandem("status")
        assert not worker.lines("topic ID unknown")
    found = stage.found()
    assert len(found.rows) == 200
    assert len(found.messages) == 200


@pytest.mark.parametrize("topic", [OTHER.topic, OTHER.topics[0].name])
def test_a_pipeline_reads_no_other_topic(guarded: Guarded, topic: str) -> None:
    assert guarded.join(LOGINS, topic, LOGINS_GROUP) == KafkaError.TOPIC_AUTHORIZATION_FAILED
    with pytest.raises(Refused, match="Topic authorization failed"):
        brokers(guarded, LOGINS, LOGINS_GROUP).partitions(topic)


def test_a_pipeline_reads_its_own_topic_and_not_even_what_it_wrote(guarded: Guarded) -> None:
    assert guarded.read(LOGINS, OUTPUT, LOGINS_GROUP) == KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert guarded.read(LOGINS, PIPELINE.topic, LOGINS_GROUP) is None


def test_a_pipeline_has_no_other_group(guarded: Guarded) -> None:
    assert guarded.join(LOGINS, PIPELINE.topic, ORDERS_GROUP) == KafkaError.GROUP_AUTHORIZATION_FAILED
    group = brokers(guarded, LOGINS, ORDERS_GROUP)
    for request in (group.has_members, lambda: group.commit(PIPELINE.topic, 0, 0)):
        with pytest.raises(Refused, match="Group authorization failed"):
            request()


@pytest.mark.parametrize("topic", [PIPELINE.topic, OTHER.topic, OTHER.topics[0].name])
def test_a_pipeline_writes_only_its_output_topics(guarded: Guarded, topic: str) -> None:
    assert guarded.write(LOGINS, topic) == KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert guarded.write(LOGINS, OUTPUT, idempotent=True) is None


def test_a_pipeline_sees_and_changes_no_acl_and_deletes_no_topic(guarded: Guarded) -> None:
    access = guarded.access(LOGINS)
    with pytest.raises(Refused, match=r"cannot create ACLs: .*Cluster authorization failed"):
        access.create([Acl(LOGINS, Operation.ALL, ResourceKind.TOPIC, OTHER.topic)])
    assert not access.acls()
    admin = AdminClient(guarded.client(LOGINS))
    with pytest.raises(KafkaException, match="TOPIC_AUTHORIZATION_FAILED"):
        admin.delete_topics([PIPELINE.topic])[PIPELINE.topic].result()


def test_keda_sees_the_lag_and_reads_no_record_and_commits_nothing(guarded: Guarded) -> None:
    lag = brokers(guarded, KEDA, LOGINS_GROUP)
    assert list(lag.partitions(PIPELINE.topic)) == list(range(PARTITIONS))
    assert set(lag.bounds(PIPELINE.topic, range(PARTITIONS))) == set(range(PARTITIONS))
    lag.committed(PIPELINE.topic, range(PARTITIONS))
    assert guarded.read(KEDA, PIPELINE.topic, LOGINS_GROUP) == KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert guarded.join(KEDA, PIPELINE.topic, LOGINS_GROUP) in DENIED
    assert guarded.write(KEDA, PIPELINE.topic) == KafkaError.TOPIC_AUTHORIZATION_FAILED
    for request in (lambda: lag.commit(PIPELINE.topic, 0, 0), lambda: lag.partitions(OUTPUT)):
        with pytest.raises(Refused):
            request()


def test_a_producer_writes_the_source_topic_alone(guarded: Guarded) -> None:
    assert guarded.write(SHOP, PIPELINE.topic, idempotent=True) is None
    assert guarded.write(SHOP, OUTPUT) == KafkaError.TOPIC_AUTHORIZATION_FAILED
    assert guarded.read(SHOP, PIPELINE.topic, LOGINS_GROUP) in DENIED


def test_operators_move_offsets_and_resend_records(guarded: Guarded) -> None:
    group = brokers(guarded, ADMIN, ORDERS_GROUP)
    assert not group.has_members()
    group.commit(OTHER.topic, 0, 0)
    assert group.committed(OTHER.topic, [0]) == {0: 0}
    assert group.topic_id(OTHER.topic)
    assert guarded.write(ADMIN, OTHER.topic, idempotent=True) is None
    assert guarded.read(ADMIN, OTHER.topic, ORDERS_GROUP) is None


def test_what_is_no_longer_needed_goes_only_when_asked(guarded: Guarded) -> None:
    """The ACLs of the other pipeline, which this checkout does not declare."""
    kept = guarded.tandem("acls", "--all")
    assert f"  {ORDERS}: read topic user-order\n" in kept
    assert "would remove" in guarded.tandem("acls", "--all", "--prune", exit_code=3)
    access, others = guarded.access(ADMIN), required(STAGE, [OTHER]) - required(STAGE, [PIPELINE])
    guarded.tandem("acls", "--all", "--prune", "--execute")
    try:
        assert not others & set(access.acls())
        assert {acl for acl in access.acls() if acl.user == SHOP}
    finally:
        access.create(others)


def test_the_connected_user_must_be_the_admin(guarded: Guarded) -> None:
    location = guarded.stage.environment["TANDEM_SCRAM_FROM"].format(pipeline=PIPELINE.name)
    refused = guarded.tandem("acls", "--execute", exit_code=1, TANDEM_ADMIN_SCRAM_FROM=location)
    assert f"expected to connect as {ADMIN}, got {LOGINS}" in refused


@pytest.fixture(params=["memory", "kafka"])
def access(request: pytest.FixtureRequest) -> AccessControl:
    if request.param == "memory":
        return MemoryAccessControl(ADMIN)
    guarded: Guarded = request.getfixturevalue("guarded")
    return guarded.access(ADMIN)


def test_acls_are_created_and_deleted_once(access: AccessControl) -> None:
    """The contract of both implementations of the port."""
    before = set(access.acls())
    added = {
        Acl("someone", operation, kind, "kafka-cluster" if kind is ResourceKind.CLUSTER else "something")
        for kind in ResourceKind
        for operation in (Operation.ALL, Operation.DESCRIBE)
    }
    assert access.user() == ADMIN
    for _ in range(2):
        access.create(added)
        eventually(lambda: set(access.acls()) == before | added)
    for _ in range(2):
        access.delete(added)
        eventually(lambda: set(access.acls()) == before)
    access.create([])
    access.delete([])


def brokers(guarded: Guarded, user: str, group: str) -> KafkaBrokers:
    return KafkaBrokers(lambda: guarded.client(user), group)
