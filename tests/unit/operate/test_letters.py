import json

import pytest

from functions.core.dead_letter import Reason
from functions.core.errors import Corrupt, Refused
from functions.operate import dead_letters, letters_text
from functions.operate.desk import Desk
from functions.operate.letters import found
from functions.operate.place import Place
from tests.unit.operate.world import LETTER, NOW, TOPIC, letter, store

TOMORROW = LETTER.timestamp + 86_400_000


@pytest.fixture
def stocked(desk: Desk) -> Desk:
    store(desk, letter(1), letter(2, timestamp=TOMORROW), letter(3, reason=Reason.FAILED, detail="Oops: 1\n2"))
    store(desk, letter(1, pipeline="logins-more"))
    return desk


@pytest.mark.parametrize(
    ("reason", "day", "offsets"),
    [
        (None, None, [1, 2, 3]),
        (Reason.REJECTED, None, [1, 2]),
        (None, "2026-11-23", [1, 3]),
        (Reason.REJECTED, "2026-11-24", [2]),
        (Reason.INVALID, None, []),
    ],
)
def test_letters_are_found_by_reason_and_day(
    stocked: Desk, reason: Reason | None, day: str | None, offsets: list[int]
) -> None:
    assert sorted(each.place.offset for each in stocked.letters.found(reason, day)) == offsets


def test_a_letter_is_found_where_its_record_was(stocked: Desk) -> None:
    (one,) = stocked.letters.at(Place(TOPIC, 3, 2))
    assert stocked.letters.read(one) == letter(2, timestamp=TOMORROW)
    assert stocked.letters.at(Place(TOPIC, 3, 4)) == []


def test_the_list_counts_and_shows_the_newest(stocked: Desk) -> None:
    mark = stocked.marks.claim(Place(TOPIC, 3, 1), None, "me", Place(TOPIC, 3, 0))
    assert mark
    assert stocked.marks.sent(mark)
    counts, last = dead_letters.listing(stocked, None, None, 1)
    said = letters_text.listed(counts, last).splitlines()
    assert said[:5] == [
        "reason    day         letters  redriven",
        "rejected  2026-11-24        1         0",
        "rejected  2026-11-23        1         1",
        "failed    2026-11-23        1         0",
        "3 dead letters, 1 redriven",
    ]
    assert len(said) == 8
    told = json.loads(letters_text.listed_json(counts, last))
    assert told["counts"][1] == {"reason": "rejected", "day": "2026-11-23", "letters": 1, "redriven": 1}
    assert told["newest"][0]["value"] == {"base64": "eyJhIjogMX0=", "text": '{"a": 1}'}


def test_no_letters_are_said_to_be_none(desk: Desk) -> None:
    assert letters_text.listed(*dead_letters.listing(desk, None, None, 20)) == "no dead letters"


def test_a_letter_is_shown_whole_and_cannot_drive_a_terminal(desk: Desk) -> None:
    store(desk, letter(7, value=b'{"a": "\x1b[2J\xc3\xa9"}', key=b"\xff", traceback="Traceback:\n  here"))
    said = dead_letters.show(desk, Place(TOPIC, 3, 7)).splitlines()
    assert said[0] == "record    user-login/3/7 of 2026-11-23 13:26:50Z"
    assert said[1] == "rejected  rejected: ip: takes an address"
    assert said[3:] == [
        "redriven  no", r"key       b'\xff'", "header    trace: 1", "header    trace: none",
        'value     {"a": "\\x1b[2Jé"}', "Traceback:", "  here",
    ]  # fmt: skip


def test_where_there_is_no_letter_it_says_so(desk: Desk) -> None:
    with pytest.raises(Refused, match="logins has no dead letter of user-login/3/8"):
        dead_letters.show(desk, Place(TOPIC, 3, 8))


def test_what_is_no_letter_is_named(desk: Desk) -> None:
    with pytest.raises(Corrupt, match=r"logins/readme\.txt: is not the key of a dead letter"):
        found("logins/readme.txt", NOW)
    store(desk, letter(7))
    (one,) = desk.letters.at(Place(TOPIC, 3, 7))
    desk.s3.put_object(Bucket=desk.settings.dead_letter_bucket, Key=one.key, Body=b"{}")
    with pytest.raises(Corrupt, match=f"{one.key}: not a dead letter"):
        desk.letters.read(one)
    desk.s3.delete_object(Bucket=desk.settings.dead_letter_bucket, Key=one.key)
    with pytest.raises(Corrupt, match="is gone"):
        desk.letters.read(one)
