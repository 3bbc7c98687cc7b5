"""The reference pipeline: valid logins, their rows, and invalid logins with a helpful reason."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from functions.core.dead_letter import Reason, Rejection
from functions.core.evaluate import Evaluation, evaluate
from functions.core.sinks import Counters, Lake, Table, Topic
from functions.core.slice import Slice
from functions.pipelines.logins import PIPELINE
from tests.unit.runtimes.world import DEVICE, IP, KEY, login


def evaluated(*values: bytes | None) -> Evaluation:
    n = len(values)
    return evaluate(PIPELINE, Slice("user-login", 0, 0, n - 1, range(n), [0] * n, [None] * n, values, [()] * n), KEY)


def row(**changes: Any) -> dict[str, Any]:
    evaluation = evaluated(login(**changes))
    assert evaluation.rejections == ()
    return {name: column[0] for name, column in evaluation.rows.columns.items()}


def rejected(**changes: Any) -> Rejection:
    (rejection,) = evaluated(login(**changes)).rejections
    return rejection


def test_a_login_becomes_a_row() -> None:
    stored = row()
    assert {name: value for name, value in stored.items() if name not in {"ip", "device_id"}} == {
        "user_id": "u-1",
        "version_major": 2,
        "version_minor": 3,
        "version_patch": 0,
        "device_type": "android",
        "locale": "RU",
        "logged_in_at": datetime(2023, 9, 12, 0, 45, 51, tzinfo=UTC),
    }


@pytest.mark.parametrize(
    ("version", "numbers"),
    [("2.3.0", (2, 3, 0)), ("2.3", (2, 3, 0)), ("v10.20.30", (10, 20, 30)), ("00001.2.3", (1, 2, 3))],
)
def test_versions_are_numbers(version: str, numbers: tuple[int, int, int]) -> None:
    stored = row(app_version=version)
    assert (stored["version_major"], stored["version_minor"], stored["version_patch"]) == numbers


@pytest.mark.parametrize(
    "version", ["", "2", "2.3.0.1", "2.3.0-beta", "latest", "2..3", "\u0662.\u0663.\u0660", "2.3.0\n", "1" * 6 + ".0"]
)
def test_an_invalid_version_is_refused(version: str) -> None:
    assert rejected(app_version=version).detail == "app_version: expected numbers like 2.3.0"


@pytest.mark.parametrize(
    ("value", "known"),
    [
        ("android", "android"), (" Android ", "android"), ("iOS", "ios"), ("iPhone", "ios"), ("ipad", "ios"),
        ("WEB", "web"), ("browser", "web"), ("toaster", "other"), ("", "unknown"), ("  ", "unknown"), (None, "unknown"),
    ],
)  # fmt: skip
def test_device_types_are_few(value: str | None, known: str) -> None:
    assert row(device_type=value)["device_type"] == known


def test_a_login_without_a_device_type_counts_as_unknown() -> None:
    value = json.loads(login())
    del value["device_type"]
    evaluation = evaluated(json.dumps(value).encode())
    assert evaluation.rows.columns["device_type"] == ["unknown"]


@pytest.mark.parametrize(("value", "region"), [("RU", "RU"), ("de", "DE"), ("Us", "US")])
def test_locales_are_regions_of_two_letters(value: str, region: str) -> None:
    assert row(locale=value)["locale"] == region


@pytest.mark.parametrize("locale", ["", "R", "RUS", "de_DE", "R1", "ÄÖ", "RU\n", " RU"])
def test_other_locales_are_refused(locale: str) -> None:
    assert rejected(locale=locale).detail == "locale: expected a region of two letters, like DE"


@pytest.mark.parametrize("ip", ["", "203.0.113", "203.0.113.256", "localhost", "203.0.113.7/24", "1", "::g"])
def test_an_invalid_address_is_refused(ip: str) -> None:
    assert rejected(ip=ip).detail == "ip: expected an IPv4 or IPv6 address"


def test_personal_data_is_masked_deterministically() -> None:
    first, second, other = row(), row(user_id="u-2"), row(ip="203.0.113.8", device_id="another")
    assert [len(first[name]) for name in ("ip", "device_id")] == [32, 32]
    assert (first["ip"], first["device_id"]) == (second["ip"], second["device_id"])
    assert first["ip"] != other["ip"]
    assert first["device_id"] != other["device_id"]
    assert IP not in str(first)
    assert DEVICE not in str(first)


def test_every_spelling_of_an_address_has_the_same_mask() -> None:
    assert row(ip="2001:DB8::1")["ip"] == row(ip="2001:0db8:0:0:0:0:0:1")["ip"]


@pytest.mark.parametrize(
    ("timestamp", "hint"),
    [
        (1694479551000, ", this looks like milliseconds"),
        (0, ""),
        (946684799, ""),
        (4102444800, ""),
        (-1694479551, ""),
        (10**18, ""),
    ],
)
def test_a_time_outside_of_this_century_is_refused(timestamp: int, hint: str) -> None:
    assert rejected(timestamp=timestamp).detail == f"timestamp: expected Unix seconds from 2000 to 2100{hint}"


@pytest.mark.parametrize("timestamp", [946684800, 4102444799])
def test_the_century_includes_its_ends(timestamp: int) -> None:
    assert row(timestamp=timestamp)["logged_in_at"].timestamp() == timestamp


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"user_id": None}, "user_id: Input should be a valid string"),
        ({"user_id": "  "}, "user_id: String should have at least 1 character"),
        ({"user_id": "u" * 129}, "user_id: String should have at most 128 characters"),
        ({"device_id": 5}, "device_id: Input should be a valid string"),
        ({"timestamp": "soon"}, "timestamp: Input should be a valid integer, unable to parse string as an integer"),
        (
            {"timestamp": 1694479551.5},
            "timestamp: Input should be a valid integer, got a number with a fractional part",
        ),
    ],
)
def test_an_invalid_login_names_the_field(changes: dict[str, Any], problem: str) -> None:
    rejection = rejected(**changes)
    assert (rejection.reason, rejection.detail) == (Reason.INVALID, problem)


def test_identifiers_are_trimmed() -> None:
    assert row(user_id=" u-1 ")["user_id"] == "u-1"


@pytest.mark.parametrize(
    "value",
    [
        login(ip=f"{IP}x"), login(ip=[IP]), login(device_id=[DEVICE]), login(locale=DEVICE), login(app_version=IP),
        login(timestamp=DEVICE), f"{IP} {DEVICE}".encode(), login(user_id={"ip": IP}), login(device_id=DEVICE * 20),
    ],
)  # fmt: skip
def test_no_reason_contains_personal_data(value: bytes) -> None:
    (rejection,) = evaluated(value).rejections
    assert rejection.reason in {Reason.REJECTED, Reason.INVALID, Reason.UNDECODABLE}
    assert rejection.detail
    assert IP not in rejection.detail + rejection.traceback
    assert DEVICE not in rejection.detail + rejection.traceback


def test_a_tombstone_is_dropped() -> None:
    evaluation = evaluated(None, login())
    assert (evaluation.dropped, len(evaluation.rows), evaluation.rejections) == (1, 1, ())


def test_it_uses_every_type_of_sink() -> None:
    assert [type(sink) for sink in PIPELINE.sinks] == [Lake, Counters, Table, Topic]
    assert PIPELINE.masked == ("ip", "device_id")
