from dataclasses import replace
from typing import Any

import pytest

from functions.adapters.aws import Aws
from functions.adapters.dead_letters import S3DeadLetters
from functions.core.dead_letter import DeadLetter, Reason
from functions.core.errors import Incomplete
from tests.contracts.conftest import DEAD
from tests.contracts.race import raced
from tests.contracts.twins import Letters, aws_letters, throttled

LETTER = DeadLetter(
    "pipeline", "all.of-it", 3, 7, 1_700_000_000_000, b"k", b'{"a": "\xc3\xa9"}', [("trace", b"1"), ("trace", None)],
    Reason.REJECTED, 'ip: takes "an" address, \udcff, not é', "Traceback:\n  line",
)  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"key": None, "value": None, "headers": []},
        {"key": b"", "value": b"", "headers": [("", b"")]},
        {"key": bytes(range(256)), "value": b"\xff" * 2**20},
        {"headers": [(f"name-{n % 7}", b"\x00\xff") for n in range(10_000)]},
        {"offset": 2**63 - 1, "timestamp": -1},
        {"timestamp": 2**63 - 1},
        *({"reason": reason} for reason in Reason),
    ],
    ids=lambda changes: ",".join(changes) or "plain",
)
def test_a_letter_is_stored_whole(letters: Letters, name: str, changes: dict[str, Any]) -> None:
    letter = replace(LETTER, pipeline=name, **changes)
    letters.store.store([letter])
    assert letters.stored(name) == [letter]


def test_stored_twice_is_stored_once_and_the_first_stays(letters: Letters, name: str) -> None:
    letter = replace(LETTER, pipeline=name)
    letters.store.store([letter, letter])
    letters.store.store([replace(letter, detail="another")])
    assert letters.stored(name) == [letter]


def test_many_letters_are_stored_together(letters: Letters, name: str) -> None:
    many = [replace(LETTER, pipeline=name, offset=offset) for offset in range(100)]
    letters.store.store(many)
    assert sorted(letters.stored(name), key=lambda letter: letter.offset) == many


def test_coordinates_keep_letters_apart(letters: Letters, name: str) -> None:
    letter = replace(LETTER, pipeline=name)
    others = [replace(letter, **change) for change in ({"topic": "all"}, {"partition": 33}, {"offset": 70})]
    letters.store.store([letter, *others, replace(letter, pipeline=f"{name}-more")])
    assert len(letters.stored(name)) == 4


def test_concurrent_writers_store_one_letter(letters: Letters, name: str) -> None:
    many = [replace(LETTER, pipeline=name, offset=offset) for offset in range(5)]
    raced(lambda _: letters.store.store(many))
    assert sorted(letters.stored(name), key=lambda letter: letter.offset) == many


def test_nothing_is_nothing(letters: Letters) -> None:
    letters.store.store([])


def test_letters_are_durable_or_remain(aws: Aws, name: str) -> None:
    """The real store, throttled for some of the letters: a retry continues with the rest."""
    store, stored = S3DeadLetters(aws.object_puts, DEAD), aws_letters(aws, DEAD)
    many = [replace(LETTER, pipeline=name, offset=offset) for offset in range(50)]
    slow = throttled(aws.s3, lambda call: any(f"-{offset:020}.json" in call for offset in (7, 33)))
    with slow, pytest.raises(Incomplete, match="ThrottlingException") as caught:
        store.store(many)
    remaining = list(caught.value.remaining)
    assert many[7] in remaining
    assert many[33] in remaining
    assert [letter for letter in many if letter not in remaining] == stored(name)
    store.store(remaining)
    assert stored(name) == many
