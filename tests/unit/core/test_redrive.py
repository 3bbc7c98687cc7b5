import pytest

from functions.core.record_place import RecordPlace
from functions.core.redrive import redrive_headers, redriven_from
from functions.core.slice import Headers

PLACE = RecordPlace("user-login", 3, 345)


@pytest.mark.parametrize(
    ("headers", "times", "redrives"),
    [
        ([], 1, b"1"),
        ([("trace", b"1"), ("trace", None)], 2, b"2"),
        ([("tandem-redrives", b"x")], 1, b"1"),
        ([("tandem-redrives", None)], 1, b"1"),
        ([("tandem-redrives", b"9" * 5_000)], 1, b"1"),  # more digits than Python reads
    ],
)
def test_a_redriven_record_has_its_own_headers_its_origin_and_its_count(
    headers: Headers, times: int, redrives: bytes
) -> None:
    redriven = redrive_headers(headers, PLACE, times)
    own = [header for header in headers if not header[0].startswith("tandem-")]
    assert redriven == [*own, ("tandem-redriven-from", b"user-login/3/345"), ("tandem-redrives", redrives)]
    assert redriven_from(redriven) == [PLACE]


def test_a_record_that_is_redriven_again_names_the_first_and_the_last_place() -> None:
    first, second = RecordPlace("user-login", 3, 1), RecordPlace("user-login", 3, 200)
    headers = redrive_headers(redrive_headers(redrive_headers([], first, 3), second, 1), PLACE, 1)
    assert redriven_from(headers) == [first, PLACE]
    assert headers[-1] == ("tandem-redrives", b"5")


@pytest.mark.parametrize("value", [None, b"", b"\xff", b"elsewhere", b"t/1", b"t" * 60_000 + b"/1/1"])
def test_a_header_of_that_name_that_is_not_tandems_names_no_place(value: bytes | None) -> None:
    assert redriven_from([("tandem-redriven-from", value)]) == []
