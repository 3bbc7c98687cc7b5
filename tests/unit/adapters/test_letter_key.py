import pytest

from functions.adapters.letter_key import parse_letter_key
from functions.core.errors import Corrupt
from functions.core.record_place import RecordPlace


def test_a_key_is_parsed_as_it_is_written() -> None:
    key = "logins/reason=rejected/day=2026-11-23/user-login-3-00000000000000000345.json"
    assert parse_letter_key(key) == ("rejected", "2026-11-23", RecordPlace("user-login", 3, 345))


@pytest.mark.parametrize("key", ["logins/readme.txt", "logins/reason=a/day=b/c.json", "a/b/c/t-x-1.json", ""])
def test_any_other_key_is_corrupt(key: str) -> None:
    with pytest.raises(Corrupt, match="is not the key of a dead letter"):
        parse_letter_key(key)
