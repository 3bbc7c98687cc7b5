"""Selecting dead letters by what their keys, times and contents say."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from functions.core.dead_letter import Reason
from functions.core.record_place import RecordPlace
from functions.operate.dead_letters.selection import Selection, select
from tests.unit.operate.world import NOW, TOPIC, Output, World, letter

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def stocked(world: World) -> World:
    world.letters.store([letter(1), letter(2, key=None, headers=[("who", b"K\xc3\xa4the")], reason=Reason.FAILED)])
    world.clock.advance(timedelta(hours=1))
    world.letters.store([letter(3, partition=0, value=None, detail="\ud800 no device"), letter(4, key=b"user-1\xff")])
    return world


@pytest.mark.parametrize(
    ("conditions", "offsets"),
    [
        ({}, [1, 2, 3, 4]),
        ({"reason": Reason.FAILED}, [2]),
        ({"day": "2026-11-24"}, []),
        ({"since": LATER}, [3, 4]),
        ({"until": LATER}, [1, 2]),
        ({"since": NOW, "until": NOW}, []),
        ({"partition": 0}, [3]),
        ({"key": "user-1"}, [1, 3]),
        ({"key": "user-1\udcff"}, [4]),
        ({"text": "user"}, [1, 3, 4]),
        ({"text": "Käthe"}, [2]),
        ({"text": "who"}, [2]),
        ({"text": '"a": 1'}, [1, 2, 4]),
        ({"text": "no device"}, [3]),
        ({"text": "nowhere"}, []),
        ({"key": "user-1", "text": "a", "since": LATER}, [3]),
        ({"places": [RecordPlace(TOPIC, 3, 1), RecordPlace(TOPIC, 3, 1), RecordPlace(TOPIC, 3, 9)]}, [1]),
    ],
)
def test_every_condition_holds(stocked: World, conditions: dict[str, Any], offsets: Sequence[int]) -> None:
    selection, output = Selection(**conditions), Output()
    assert sorted(entry.place.offset for entry in select(stocked.context, selection, output)) == offsets
    assert output.lines == []


def test_a_selection_knows_how_much_it_is() -> None:
    place = RecordPlace(TOPIC, 3, 1)
    assert (Selection().is_everything, Selection().is_places) == (True, True)
    assert (Selection(places=[place]).is_everything, Selection(places=[place]).is_places) == (False, True)
    assert not Selection(text="").is_places
