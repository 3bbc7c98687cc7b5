"""The output in docs/erase.md is what the verb says."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from functions.operate.erase.run import EraseRequest, run
from functions.operate.erase.text import report_text
from tests.docs.pages import page
from tests.unit.operate.settling import settler_of, slice_of
from tests.unit.operate.world import World, letter


@pytest.fixture
def world() -> Iterator[World]:
    """A stage with two settled slices, and a third one that isn't settled yet."""
    with ThreadPoolExecutor(2) as pool:
        world = World(pool)
        for start in (0, 100):
            settler_of(world).settle(slice_of(start, good=100))
        world.letters.store([letter(150, key=b"user-17"), letter(250, key=b"user-17"), letter(7, key=b"user-18")])
        yield world


def test_the_page_shows_what_the_verb_says(world: World) -> None:
    blocks = page("docs/erase.md").blocks
    (shown,) = (block.code for block in blocks if block.code.startswith("$ tandem erase user-17 --stage"))
    report = run(world.context, EraseRequest("user-17"))
    assert shown.split("\n", 1)[1] == report_text(report) + "\n"


def test_the_page_names_every_copy_that_the_verb_names(world: World) -> None:
    text = page("docs/erase.md").text
    for word in ("output topics", "Redshift", "point-in-time recovery", "Counters", "table of seen events"):
        assert word in text
