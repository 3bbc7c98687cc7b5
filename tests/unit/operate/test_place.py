import pytest

from functions.operate.place import Place, parse


@pytest.mark.parametrize("place", [Place("user-login", 3, 345), Place("a.b_c-1", 0, 2**63 - 1)])
def test_a_place_is_read_as_it_is_written(place: Place) -> None:
    assert parse(str(place)) == place


@pytest.mark.parametrize(
    "text", ["", "user-login", "user-login/3", "/3/345", "t/3/-1", "t/x/1", "t/1/2/3", "t/\u0661/1"]
)
def test_anything_else_says_what_it_takes(text: str) -> None:
    with pytest.raises(ValueError, match="takes TOPIC/PARTITION/OFFSET, like user-login/3/345, got"):
        parse(text)
