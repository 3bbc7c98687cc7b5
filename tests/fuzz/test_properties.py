"""Both runtimes have the same effects for any records, each once; a wrong setting gives one clear line."""

import json
from dataclasses import replace
from itertools import cycle
from typing import Any, Final

from confluent_kafka import Consumer, Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.core.errors import InvalidSetting
from functions.core.flood import FloodLimit
from functions.core.pipeline import Limits, Tombstones
from functions.runtimes.worker.client import consumer_settings
from functions.settings import SECRETS, Settings, read
from tests.fuzz.memory import PATIENT
from tests.fuzz.worlds import World

TOPIC: Final = PATIENT.topic
SMALL: Final = Limits(slice_records=3, flood=FloodLimit(1.0))
GOOD: Final[dict[str, Any]] = {
    "user_id": "u-1", "app_version": "2.3.0", "device_type": "ios", "ip": "10.0.0.1", "locale": "de", "device_id": "d",
    "timestamp": 1_700_000_000,
}  # fmt: skip

jsons = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
logins = st.fixed_dictionaries(
    {},
    optional={
        "user_id": st.sampled_from(["u-1", "u-2", " u-1 "]) | st.text(max_size=130),
        "device_type": jsons | st.sampled_from(["ios", "iPhone", "web"]),
        "timestamp": st.integers(1_600_000_000, 1_800_000_000) | jsons,
        "app_version": st.from_regex(r"v?\d+\.\d+(\.\d+)?"),
        "ip": st.ip_addresses().map(str) | st.text(max_size=20),
        "locale": st.text(max_size=3),
    },
).map(lambda changes: json.dumps(GOOD | changes).encode())
values = (
    st.none() | st.just(json.dumps(GOOD).encode()) | logins | jsons.map(lambda x: json.dumps(x).encode()) | st.binary()
)
headers = st.lists(st.tuples(st.text(max_size=5), st.none() | st.binary(max_size=5)), max_size=3)
records = st.tuples(
    st.integers(0, 2),  # partition
    st.integers(1, 3),  # offsets after the previous record
    st.none() | st.sampled_from([b"u-1", b"u-2", b"", b"\xff"]) | st.binary(max_size=5),
    values,
    headers,
    st.integers(-1, 2**45),
)
sizes = st.lists(st.integers(1, 7), min_size=1, max_size=5)


def _messages(drawn: list[tuple[Any, ...]]) -> list[Message]:
    ends = dict.fromkeys(range(3), -1)
    messages = []
    for partition, step, key, value, headers, timestamp in drawn:
        ends[partition] += step
        messages.append(
            Message(
                topic=TOPIC, partition=partition, offset=ends[partition], key=key, value=value,
                headers=headers or None, timestamp=(1, timestamp),
            )
        )  # fmt: skip
    return messages


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(records, max_size=25), sizes, sizes, st.sampled_from(Tombstones))
def test_both_runtimes_have_the_same_effects_for_any_records(
    drawn: list[tuple[Any, ...]], batches: list[int], reads: list[int], tombstones: Tombstones
) -> None:
    pipeline = replace(PATIENT, tombstones=tombstones, limits=SMALL)
    msk, worker, messages = World(pipeline), World(pipeline), _messages(drawn)
    msk.msk(messages, cycle(batches))
    worker.worker(messages, cycle(reads))
    assert msk.effects() == worker.effects()
    rows = msk.effects()["rows"]
    assert not rows or max(rows.values()) == 1


VALID: Final = {
    "TANDEM_STAGE": "dev",
    "TANDEM_PIPELINE": "logins",
    "TANDEM_LAKE_BUCKET": "lake",
    "TANDEM_DEAD_LETTER_BUCKET": "letters",
    "TANDEM_MASK_KEY_FROM": "file:/key",
    "TANDEM_BOOTSTRAP_SERVERS": "127.0.0.1:1",
    "TANDEM_KAFKA_AUTH": "plaintext",
}
variables = st.sampled_from(["AWS_REGION", *(f"TANDEM_{name.upper()}" for name in Settings.model_fields)])
numbers = st.one_of(st.integers(-2, 100), st.integers(), st.floats()).map(str)
# Any text that an environment can hold: bytes that are not UTF-8 appear as lone surrogates.
texts = st.text(st.characters(exclude_characters="\0"), max_size=20) | st.binary(max_size=8).map(
    lambda raw: raw.replace(b"\0", b"").decode(errors="surrogateescape")
)
environments = st.dictionaries(variables, numbers | texts | st.sampled_from(["iam", "scram", "file:/k"]), max_size=4)


@given(environments, st.sets(st.sampled_from(sorted(VALID)), max_size=1))
def test_an_environment_gives_settings_or_one_line_that_shows_no_secret(
    changes: dict[str, str], missing: set[str]
) -> None:
    environment = {name: value for name, value in (VALID | changes).items() if name not in missing}
    try:
        read(environment)
    except InvalidSetting as error:
        message = str(error)
        assert message.startswith(("TANDEM_", "AWS_REGION"))
        assert len(message.splitlines()) == 1
        message.encode()  # raises if it cannot be printed
        for name in SECRETS:
            variable = f"TANDEM_{name.upper()}"
            assert f"{variable}: got {environment.get(variable)!r}" not in message


@settings(max_examples=60)
@given(environments)
def test_valid_settings_make_a_consumer(changes: dict[str, str]) -> None:
    try:
        chosen = read(VALID | changes)
    except InvalidSetting:
        return
    Consumer(consumer_settings(chosen, {"bootstrap.servers": "127.0.0.1:1", "log_level": 0})).close()
