"""The consumer's settings: positions come from the ledger, and librdkafka accepts all values."""

from typing import Any

import pytest
from confluent_kafka import Consumer

from functions.runtimes.worker.client import consumer_settings
from tests.unit.runtimes.world import SETTINGS


def chosen(**changes: Any) -> dict[str, Any]:
    return consumer_settings(SETTINGS.model_copy(update=changes), {"bootstrap.servers": "127.0.0.1:1"})


def test_nothing_is_committed_or_chosen_but_by_us() -> None:
    settings = chosen()
    assert settings["group.id"] == "test-logins"
    assert settings["partition.assignment.strategy"] == "cooperative-sticky"
    assert (settings["enable.auto.commit"], settings["enable.auto.offset.store"]) == (False, False)
    assert settings["auto.offset.reset"] == "error"
    assert settings["bootstrap.servers"] == "127.0.0.1:1"


def test_the_nearest_replica_is_read_where_the_zone_is_known() -> None:
    assert "client.rack" not in chosen()
    assert chosen(rack="use1-az2")["client.rack"] == "use1-az2"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"session_timeout_seconds": 1},
        {"session_timeout_seconds": 1800},
        {"bytes_in_flight": 2**20},
        {"bytes_in_flight": 2**40},
        {"drain_seconds": 600},
        {"rack": "use1-az2"},
    ],
)
def test_librdkafka_accepts_all_values_that_the_settings_allow(changes: dict[str, Any]) -> None:
    consumer = Consumer(chosen(**changes))
    assert consumer.close() is None  # type: ignore[func-returns-value]


def test_a_drain_does_not_cost_the_membership() -> None:
    assert chosen(drain_seconds=600)["max.poll.interval.ms"] > 600_000
    assert chosen()["max.poll.interval.ms"] == 300_000


def test_heartbeats_are_frequent_enough_to_learn_of_a_rebalance_soon_and_to_stay_a_member() -> None:
    assert chosen()["heartbeat.interval.ms"] == 1000
    assert chosen(session_timeout_seconds=1.5)["heartbeat.interval.ms"] == 500
