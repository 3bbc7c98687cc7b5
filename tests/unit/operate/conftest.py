"""A stage in memory, a new one for each test."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.unit.operate.world import World


@pytest.fixture(scope="session")
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4, "operate") as pool:
        yield pool


@pytest.fixture
def world(pool: ThreadPoolExecutor) -> World:
    return World(pool)
