"""What SnapStart must not give to every environment that it starts from one memory."""

import random
from types import SimpleNamespace

import pytest

from functions.runtimes.msk import handler as module
from tests.unit.runtimes.world import SETTINGS


def test_environments_of_one_snapshot_do_not_jitter_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("functions.settings.read", lambda: SETTINGS)
    monkeypatch.setattr(module, "App", lambda _: SimpleNamespace(settler=SimpleNamespace(settle=None)))
    monkeypatch.setattr(module, "tune_collector", lambda: None)
    snapshot = random.getstate()

    def restored() -> float:
        random.setstate(snapshot)
        module._runtime.__wrapped__().batch.threads.shutdown()
        return random.random()  # noqa: S311 - the one that jitters

    assert restored() != restored()
