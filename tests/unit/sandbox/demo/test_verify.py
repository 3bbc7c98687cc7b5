from dataclasses import replace
from hashlib import blake2b

import pytest

from sandbox.demo.records import ExpectedLetter, Fate, LoginRow, Place, Produced, Record, StoreContents, StoredLetter
from sandbox.demo.verify import Verdict, Verification

KEY = b"k" * 16
MINUTE = 1_772_000_040


def masked(row: LoginRow) -> LoginRow:
    ip, device_id = (
        blake2b(value.encode(), key=blake2b(scope, key=KEY, digest_size=32).digest(), digest_size=16).hexdigest()
        for scope, value in ((b"field\0logins\0ip", row.ip), (b"field\0logins\0device_id", row.device_id))
    )
    return row._replace(ip=ip, device_id=device_id)


def login(user: str, at: int) -> LoginRow:
    return LoginRow(user, 1, 2, 3, "ios", "10.0.0.1", "DE", "device", at)


OLD, NEW, TIE = login("ann", MINUTE), login("ann", MINUTE + 70), login("ann", MINUTE + 70)._replace(locale="FR")
BAD = Record(b"bob", b"{", (("h", b"\xff"),), ExpectedLetter("undecodable"))
PRODUCED: Produced = {
    (0, 0): Record(b"ann", b"new", (), NEW),
    (0, 1): Record(b"ann", b"old", (), OLD),
    (0, 2): BAD,
    (1, 0): Record(b"ann", None, (), Fate.DROP),
    (1, 1): Record(None, b"tie", (), TIE),
}
ROWS: dict[Place, LoginRow] = {(0, 0): masked(NEW), (0, 1): masked(OLD), (1, 1): masked(TIE)}
LETTER = StoredLetter((0, 2), "undecodable", BAD.key, BAD.value, BAD.headers)
FOUND = StoreContents(
    rows=list(ROWS.items()),
    letters=[LETTER],
    counters={("ios", MINUTE): 1, ("ios", MINUTE + 60): 2},
    table={"ann": masked(TIE)},  # as new as NEW, at a greater offset
    messages=[*ROWS.items(), *ROWS.items()],
    announced={((0, 2), "undecodable")},
)


def verdict(found: StoreContents, produced: Produced = PRODUCED) -> Verdict:
    return Verification(produced, found, KEY).verdict()


def test_exact() -> None:
    seen = verdict(FOUND)
    assert seen.exact
    assert seen.problems == ()
    assert (seen.records_in, seen.rows_in_lake, seen.dead_letters, seen.dropped) == (5, 3, 1, 1)
    assert (seen.missing, seen.duplicates, seen.wrong, seen.topic_repeated) == (0, 0, 0, 3)
    assert seen.dead_letters_by_reason == {"undecodable": 1}


BROKEN: dict[str, tuple[StoreContents, dict[str, object]]] = {
    "a row is missing": (replace(FOUND, rows=FOUND.rows[1:]), {"missing": 1}),
    "a dead letter is missing": (replace(FOUND, letters=[]), {"missing": 1, "announcements_match": False}),
    "a row is there twice": (replace(FOUND, rows=[*FOUND.rows, FOUND.rows[0]]), {"duplicates": 1}),
    "a dead letter is there twice": (replace(FOUND, letters=[LETTER] * 2), {"duplicates": 1}),
    "a row and a dead letter": (
        replace(FOUND, rows=[*FOUND.rows, ((0, 2), masked(NEW))]),
        {"duplicates": 1, "wrong": 1},
    ),
    "a row of nothing": (replace(FOUND, rows=[*FOUND.rows, ((9, 9), masked(NEW))]), {"wrong": 1}),
    "a tombstone became a row": (replace(FOUND, rows=[*FOUND.rows, ((1, 0), masked(NEW))]), {"wrong": 1}),
    "an unmasked row": (replace(FOUND, rows=[((0, 0), NEW), *FOUND.rows[1:]]), {"wrong": 1}),
    "another reason": (
        replace(FOUND, letters=[replace(LETTER, reason="invalid")]),
        {"wrong": 1, "announcements_match": False},
    ),
    "other bytes": (replace(FOUND, letters=[replace(LETTER, value=b"}")]), {"wrong": 1}),
    "other headers": (replace(FOUND, letters=[replace(LETTER, headers=(("h", None),))]), {"wrong": 1}),
    "miscounted": (replace(FOUND, counters={("ios", MINUTE): 3}), {"counters_match": False}),
    "an older row in the table": (replace(FOUND, table={"ann": masked(NEW)}), {"table_match": False}),
    "no row in the table": (replace(FOUND, table={}), {"table_match": False}),
    "a message is missing": (replace(FOUND, messages=FOUND.messages[:2]), {"topic_unique_match": False}),
    "another message": (
        replace(FOUND, messages=[*FOUND.messages, ((0, 0), masked(OLD))]),
        {"topic_unique_match": False},
    ),
    "not announced": (replace(FOUND, announced=set()), {"announcements_match": False}),
}


@pytest.mark.parametrize(("found", "expected"), BROKEN.values(), ids=BROKEN)
def test_not_exact(found: StoreContents, expected: dict[str, object]) -> None:
    seen = verdict(found)
    assert not seen.exact
    assert seen.problems
    exact = verdict(FOUND)
    fields = (
        "missing",
        "duplicates",
        "wrong",
        "counters_match",
        "table_match",
        "topic_unique_match",
        "announcements_match",
    )
    assert {name: getattr(seen, name) for name in fields if getattr(seen, name) != getattr(exact, name)} == expected


def test_lines_of_a_file_are_one_of_the_two() -> None:
    produced = {place: record._replace(expected=Fate.ONE) for place, record in PRODUCED.items() if record.value}
    assert verdict(FOUND, produced).exact
    assert verdict(replace(FOUND, rows=FOUND.rows[1:], messages=FOUND.messages[1:3]), produced).missing == 1
    assert not verdict(replace(FOUND, counters={}), produced).counters_match


def test_many_problems_are_told_in_short() -> None:
    seen = verdict(replace(FOUND, rows=[((9, offset), masked(NEW)) for offset in range(20)]))
    assert "wrong row: and 15 more" in seen.problems
