import pytest

from functions.core.record_place import RecordPlace, parse_place


@pytest.mark.parametrize("place", [RecordPlace("user-login", 3, 345), RecordPlace("a.b_c-1", 0, 2**63 - 1)])
def test_a_place_is_parsed_as_it_is_written(place: RecordPlace) -> None:
    assert parse_place(str(place)) == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        "user-login",
        "user-login/3",
        "/3/345",
        "t/3/-1",
        "t/x/1",
        "t/1/2/3",
        "t/\u0661/1",
        "t" * 250 + "/1/1",
        "t/1/" + "1" * 20,
    ],
)
def test_anything_else_is_an_error_that_names_the_form(text: str) -> None:
    with pytest.raises(ValueError, match="expected TOPIC/PARTITION/OFFSET, like user-login/3/345, got"):
        parse_place(text)
