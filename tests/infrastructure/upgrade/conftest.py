"""Synthesised stages, each once in a process of the test run."""

import json
from collections.abc import Callable

import pytest

from tests.infrastructure.upgrade import assembly
from tests.infrastructure.upgrade.account import Account, Stacks
from tests.infrastructure.upgrade.changes import Pipelines, Stage

Synthesise = Callable[[Stage, Pipelines], Stacks]


@pytest.fixture(scope="session")
def synthesised() -> Synthesise:
    """The stacks of a stage, which is prod if it is protected from the start, else dev."""
    made: dict[str, Stacks] = {}

    def synthesise(stage: Stage, pipelines: Pipelines) -> Stacks:
        name = stage["github"]["environment"] if stage.get("github") else "dev"
        key = json.dumps([name, stage, {name: repr(one) for name, one in pipelines.items()}], sort_keys=True)
        if key not in made:
            made[key] = assembly.stacks(name, stage, pipelines)
        return made[key]

    return synthesise


@pytest.fixture
def account() -> Account:
    """An empty account."""
    return Account()
