import json

import pytest

from functions import registry
from functions.adapters.memory import MemoryDeadLetters, memory_stores
from functions.bootstrap import App, now
from functions.runtimes.msk.event import parse
from sandbox.bench.load import Load
from sandbox.bench.memory import memory_app
from sandbox.bench.programs.batches import PARTITIONS, events, one_record


def test_repeated_logins_have_200_users_and_unique_ones_one_each() -> None:
    users = [
        {json.loads(value)["user_id"].strip() for value in load.values()}
        for load in (Load(900), Load(900, unique=True))
    ]
    assert len(users[0]) <= 200
    assert len(users[1]) == 900


@pytest.mark.parametrize("size", [150, 1000, 1_000_000])
def test_records_have_the_size_that_is_asked_for(size: int) -> None:
    assert {len(value) for value in Load(3, size=size).values()} == {size}


@pytest.mark.parametrize(("share", "rejects"), [(0.0, 0), (0.1, 60), (0.5, 300)])
def test_this_share_of_the_logins_is_rejected(share: float, rejects: int) -> None:
    with memory_app("b:9098", "test") as app:
        for event in events(Load(600, rejects=share), 600):
            slices, malformed = parse(event)
            assert malformed == []
            for slice_ in slices:
                app.settler.settle(slice_)
        letters = app.settler.stores.dead_letters
        assert isinstance(letters, MemoryDeadLetters)
        assert len(letters.letters) == rejects
        assert len({letter.reason for letter in letters.letters.values()}) == (3 if rejects else 0)


def test_the_offsets_of_events_go_on() -> None:
    offsets: dict[int, list[int]] = {number: [] for number in range(PARTITIONS)}
    for event in events(Load(4000), 1000):
        for slice_ in parse(event)[0]:
            offsets[slice_.partition] += slice_.offsets
    assert offsets == {number: list(range(1000)) for number in range(PARTITIONS)}


def test_the_event_of_one_record_is_settled() -> None:
    with memory_app("b:9098", "test") as app:
        (slice_,) = parse(one_record())[0]
        settled = App(app.settings, memory_stores(registry.load("logins"), now)).settler.settle(slice_)
        assert settled.records == 1
