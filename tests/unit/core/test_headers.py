"""Headers that are kept: few and small, what is left out is said, and those of a redrive stay."""

import pytest

from functions.core.headers import MAX_HEADER_BYTES, MAX_HEADERS, OMITTED, capped, header_bytes
from functions.core.record_place import RecordPlace
from functions.core.redrive import REDRIVEN_FROM, REDRIVES, redrive_headers, redriven_from
from functions.core.slice import Headers


@pytest.mark.parametrize(
    "headers",
    [(), [("a", None)], [("a", b"1")] * MAX_HEADERS, [("h", b"x" * (MAX_HEADER_BYTES - 1))]],
    ids=["none", "null", "as many as allowed", "as large as allowed"],
)
def test_usual_headers_are_kept_as_they_are(headers: Headers) -> None:
    assert capped(headers) is headers


def test_of_too_many_the_first_are_kept_and_the_number_of_the_others_is_said() -> None:
    headers = [(f"h{number}", b"") for number in range(100_000)]
    assert capped(headers) == [*headers[:MAX_HEADERS], (OMITTED, b"and 99900 more")]


def test_of_too_large_ones_those_that_fit_are_kept() -> None:
    headers = [("a", b"1"), ("b", b"x" * MAX_HEADER_BYTES), ("c", b"2")]
    assert capped(headers) == [("a", b"1"), (OMITTED, b"and 2 more")]


def test_the_headers_of_a_redrive_are_kept_so_that_it_is_counted() -> None:
    first = capped([(f"h{number}", b"") for number in range(1000)])
    again = redrive_headers(first, RecordPlace("t", 0, 7), 3)
    assert capped(again) == again
    assert dict(again)[REDRIVES] == b"3"
    assert dict(again)[OMITTED] == b"and 900 more"


def test_headers_that_only_look_like_those_of_a_redrive_are_few_and_small_too() -> None:
    kept = capped([(REDRIVES, b"x" * 2000), *[(REDRIVES, b"1")] * 500, (OMITTED, b"x" * 2**20)])
    assert kept == [(REDRIVES, b"1")]
    assert header_bytes(kept) == len(REDRIVES) + 1


def test_of_the_places_of_redrives_the_first_and_the_last_are_kept() -> None:
    places = [RecordPlace("t", 0, offset) for offset in range(200)]
    kept = capped([(REDRIVEN_FROM, str(place).encode()) for place in places])
    assert redriven_from(kept) == [places[0], places[-1]]
