"""The event's exact shape, and the promise that its size is never underestimated."""

import json

from confluent_kafka import Message
from hypothesis import given
from hypothesis import strategies as st

from sandbox.event_source.event import batch_of, payload, size_bound

ARN, BOOTSTRAP = "arn:aws:kafka:::c", "b-1:9098,b-2:9098"


def events_of(*records: Message) -> dict[str, list[dict[str, object]]]:
    event = json.loads(payload(batch_of("user-login", records), ARN, BOOTSTRAP))
    assert (event.pop("eventSource"), event.pop("eventSourceArn"), event.pop("bootstrapServers")) == (
        "aws:kafka",
        ARN,
        BOOTSTRAP,
    )
    assert event.keys() == {"records"}
    return event["records"]  # type: ignore[no-any-return]


def test_a_record_has_aws_names_base64_and_signed_header_bytes() -> None:
    record = Message("user-login", 3, 7, b"u1", b"{}", [("h", b"\x00\x7f\x80\xff")], timestamp=(1, 1545084650987))
    assert events_of(record) == {
        "user-login-3": [
            {
                "topic": "user-login",
                "partition": 3,
                "offset": 7,
                "timestamp": 1545084650987,
                "timestampType": "CREATE_TIME",
                "key": "dTE=",
                "value": "e30=",
                "headers": [{"h": [0, 127, -128, -1]}],
            }
        ]
    }


def test_a_tombstone_has_a_null_value_and_a_keyless_record_no_key() -> None:
    (record,) = events_of(Message("user-login", 0, 0, timestamp=(2, 5)))["user-login-0"]
    assert record["value"] is None
    assert "key" not in record
    assert record["timestampType"] == "LOG_APPEND_TIME"


def test_empty_is_not_null() -> None:
    (record,) = events_of(Message("user-login", 0, 0, b"", b"", timestamp=(1, 5)))["user-login-0"]
    assert (record["key"], record["value"]) == ("", "")


def test_headers_keep_order_and_repetitions() -> None:
    headers = [("b", b"1"), ("a", None), ("b", b"2")]
    (record,) = events_of(Message("user-login", 0, 0, headers=headers, timestamp=(1, 5)))["user-login-0"]  # type: ignore[arg-type]
    assert record["headers"] == [{"b": [49]}, {"a": []}, {"b": [50]}]


def test_a_batch_knows_what_to_commit_and_how_old_it_is() -> None:
    places = ((1, 4), (0, 9), (1, 6))
    batch = batch_of("t", [Message("t", p, o, timestamp=(1, 1000 - o)) for p, o in places])
    assert batch.next_offsets() == {1: 7, 0: 10}
    assert len(batch) == 3
    assert batch.oldest() == 991


@given(
    st.text(alphabet="abz._-09", min_size=1, max_size=249),
    st.none() | st.binary(),
    st.none() | st.binary(),
    st.lists(st.tuples(st.text(st.characters(exclude_characters="\0", codec="utf-8")), st.binary())),
)
def test_the_size_bound_bounds(
    topic: str, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes]]
) -> None:
    record = Message(topic, 2**31 - 1, 2**63 - 1, key, value, headers, timestamp=(2, 2**62))  # type: ignore[arg-type]
    empty = len(payload(batch_of(topic, []), ARN, BOOTSTRAP))
    assert len(payload(batch_of(topic, [record]), ARN, BOOTSTRAP)) - empty <= size_bound(record)
