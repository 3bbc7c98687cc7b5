"""A hostile record costs bounded time and memory, and stops no other record."""

import json
import tracemalloc
from base64 import b64encode

import pytest

from functions.adapters.letter_json import encode, parse
from functions.core.dead_letter import Reason, Rejection, dead_letter
from functions.core.evaluate import evaluate
from functions.core.slice import Slice
from functions.core.store_limits import MAX_ITEM_BYTES
from functions.pipelines.logins import PIPELINE
from functions.runtimes.msk.event import slices
from functions.runtimes.worker.client import consumer_settings
from functions.settings import Settings
from tests.unit.runtimes.world import KEY, SETTINGS, event, login, slice_of

MIB = 2**20
HOSTILE = {
    "deep lists": b"[" * 500_000,
    "deep objects": b'{"a":' * 200_000 + b"1" + b"}" * 200_000,
    "deep within": login()[:-1] + b', "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a number of many digits": login()[:-1] + b', "n": ' + b"9" * 500_000 + b"}",
    "a time of many digits": login()[:-18] + b'"timestamp": ' + b"9" * 500_000 + b"}",
    "a huge exponent": login()[:-18] + b'"timestamp": 1e999999999}',
    "a huge name": b'{"' + b"n" * MIB + b'": 1}',
    "a huge user": login(user_id="u" * MIB),
    "a huge version": login(app_version="1." * (MIB // 2)),
    "a huge address": login(ip="1" * MIB),
    "many objects": b'{"user_id": [' + b"{}," * 300_000 + b"{}]}",
    "many fields": json.dumps({f"f{number}": number for number in range(50_000)}).encode(),
    "half a surrogate pair": login(locale="\ud800"),
    "not UTF-8": b'{"user_id": "\xff\xfe"}',
    "nothing": b"",
    "zeros": bytes(MIB),
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_record_is_one_reject_with_a_short_reason(value: bytes) -> None:
    tracemalloc.start()
    evaluation = evaluate(PIPELINE, slice_of(login(), value, login()), KEY)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    (rejection,) = evaluation.rejections
    assert (rejection.index, len(evaluation.rows)) == (1, 2)
    assert rejection.reason in {Reason.UNDECODABLE, Reason.INVALID, Reason.REJECTED}
    assert len(rejection.detail) < 1000
    assert peak < 200 * len(value) + 4 * MIB  # an empty object of three bytes needs the memory of several Python dicts


def test_fields_outside_the_model_do_not_enlarge_the_row() -> None:
    big = login(user_id="u" * 128, device_type="d", app_version="1.2", extra="x" * (MAX_ITEM_BYTES + 1))
    evaluation = evaluate(PIPELINE, slice_of(big), KEY)
    assert (len(evaluation.rows), evaluation.rejections) == (1, ())  # the extra field is not in the row


def test_a_dead_letter_keeps_all_of_many_headers() -> None:
    headers = [(f"name-{number}", b"v" * 10) for number in range(50_000)]
    record = Slice("user-login", 0, 0, 0, [0], [0], [None], [b"x"], [headers])
    letter = dead_letter("logins", record, Rejection(0, Reason.UNDECODABLE, "why"))
    assert parse(encode(letter)) == letter
    assert len(encode(letter)) < 4 * MIB


def test_the_largest_batch_of_lambda_is_accepted() -> None:
    """Lambda's own limit is 6 MB of payload."""
    given = event(p0=[login(user_id=f"u-{number}") for number in range(10_000)])
    (found,) = slices(given)
    assert len(found) == 10_000
    assert len(json.dumps(given)) > 3 * MIB


@pytest.mark.parametrize("text", ["!", "a", "====", b64encode(b"x").decode() + "\n", "é"])
def test_invalid_base64_is_refused_without_quoting_it(text: str) -> None:
    given = event(p0=[login()])
    given["records"]["user-login-0"][0]["value"] = text
    with pytest.raises(ValueError, match=r"^user-login-0: expected records of a Kafka event source mapping: \w*Error$"):
        list(slices(given))


@pytest.mark.parametrize("limit", [2**20, 64 * 2**20, 2**32])
def test_the_clients_read_ahead_is_bounded_by_bytes_in_flight(limit: int) -> None:
    chosen = consumer_settings(SETTINGS.model_copy(update={"bytes_in_flight": limit}), {})
    assert 1024 <= chosen["queued.max.messages.kbytes"] <= max(1024, limit // 1024)


@pytest.mark.parametrize("name", ["settle_threads", "bytes_in_flight", "drain_seconds", "http_port"])
def test_settings_have_bounds(name: str) -> None:
    bounds = " ".join(map(repr, Settings.model_fields[name].metadata))
    assert "Ge(" in bounds or "Gt(" in bounds
