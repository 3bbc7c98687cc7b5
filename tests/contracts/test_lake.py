from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functions.core.errors import Corrupt
from functions.core.ports import Cover, Lake, Source
from functions.core.rows import Delete, Rows
from tests.contracts.everything import FIRST, SECOND, rows
from tests.contracts.race import RACERS, raced
from tests.contracts.twins import fresh

DAY = date(2026, 11, 23)
COVER = Cover(7, 8, 9, 1_700_000_000_000)
DELETES = (Delete(8, 1_700_000_000_000, b"zo\xc3\xab"), Delete(9, -1, b"\x00\xff"))
NOTHING = rows(7)


@pytest.mark.parametrize(
    "put", [rows(8, FIRST, SECOND), NOTHING, rows(7, deletes=DELETES), rows(7, SECOND, deletes=DELETES)]
)
def test_what_is_put_is_what_is_got(lake: Lake, source: Source, put: Rows) -> None:
    assert lake.put(source, DAY, COVER, put)
    cover, got = lake.get(source, DAY, 7)
    assert cover == COVER
    _alike(got, put)


@given(
    st.lists(
        st.fixed_dictionaries({"name": st.text(), "ratio": st.floats(allow_nan=False), "tags": st.lists(st.text())})
    )
)
@settings(max_examples=25, deadline=None)
def test_whatever_is_put_is_what_is_got(lake: Lake, drawn: list[dict[str, object]]) -> None:
    source, put = Source(fresh("pipeline"), "topic", 0), rows(0, *(SECOND | each for each in drawn))
    assert lake.put(source, DAY, COVER, put)
    _alike(lake.get(source, DAY, 7)[1], put)


def test_put_never_replaces(lake: Lake, source: Source) -> None:
    assert lake.put(source, DAY, COVER, rows(8, FIRST))
    assert not lake.put(source, DAY, Cover(7, 7, 30, 5), rows(7, SECOND, SECOND))
    assert not lake.put(source, DAY, COVER, rows(8, FIRST))
    cover, got = lake.get(source, DAY, 7)
    assert cover == COVER
    _alike(got, rows(8, FIRST))


def test_an_object_without_rows_takes_its_place_too(lake: Lake, source: Source) -> None:
    assert lake.put(source, DAY, COVER, NOTHING)
    assert not lake.put(source, DAY, COVER, rows(8, FIRST))
    assert len(lake.get(source, DAY, 7)[1]) == 0


def test_offsets_days_partitions_topics_and_pipelines_have_objects_of_their_own(lake: Lake, source: Source) -> None:
    places = [
        (source, DAY, COVER),
        (source, DAY, Cover(70, 70, 70, 5)),
        (source, date(2026, 11, 24), COVER),
        (Source(source.pipeline, source.topic, 33), DAY, COVER),
        (Source(source.pipeline, f"{source.topic}-3", 3), DAY, COVER),
        (Source(f"{source.pipeline}-x", source.topic, 3), DAY, COVER),
    ]
    assert all(lake.put(*place, NOTHING) for place in places)
    assert [lake.get(where, day, cover.next)[0] for where, day, cover in places] == [cover for *_, cover in places]


def test_extreme_covers_come_back(lake: Lake, source: Source) -> None:
    cover = Cover(0, 2**62, 2**63 - 1, -1)
    assert lake.put(source, DAY, cover, NOTHING)
    assert lake.get(source, DAY, 0)[0] == cover


def test_what_was_never_put_is_corrupt(lake: Lake, source: Source) -> None:
    with pytest.raises(Corrupt, match="there is no"):
        lake.get(source, DAY, 7)


def test_of_writers_side_by_side_exactly_one_puts(lake: Lake, source: Source) -> None:
    covers = [Cover(7, 7, 10 + n, n) for n in range(RACERS)]
    puts = [rows(7, FIRST | {"number": n}) for n in range(RACERS)]
    won = raced(lambda n: lake.put(source, DAY, covers[n], puts[n]))
    assert won.count(True) == 1
    cover, got = lake.get(source, DAY, 7)
    assert cover == covers[won.index(True)]
    _alike(got, puts[won.index(True)])


def _alike(got: Rows, put: Rows) -> None:
    assert list(got.offsets) == list(put.offsets)
    assert list(got.timestamps) == list(put.timestamps)
    assert {name: list(map(_typed, column)) for name, column in got.columns.items()} == {
        name: list(map(_typed, column)) for name, column in put.columns.items()
    }
    assert tuple(got.deletes) == tuple(put.deletes)


def _typed(value: object) -> tuple[type, object]:
    return type(value), value
