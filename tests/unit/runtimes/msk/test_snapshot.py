"""State that environments started from one SnapStart snapshot must not share."""

import random
from pathlib import Path

import pytest

from functions.bootstrap import App
from functions.runtimes.msk import handler as module
from tests.unit.runtimes.world import KEY, SETTINGS, World


def test_environments_of_one_snapshot_have_different_jitter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    key = tmp_path / "mask-key"
    key.write_bytes(KEY)
    chosen = SETTINGS.model_copy(update={"mask_key_from": f"file:{key}"})
    monkeypatch.setattr("functions.settings.read", lambda: chosen)
    monkeypatch.setattr(module, "App", lambda settings: App(settings, World().stores))
    monkeypatch.setattr(module, "tune_collector", lambda: None)
    snapshot = random.getstate()

    def restored() -> float:
        random.setstate(snapshot)
        module._runtime.__wrapped__().batch.threads.shutdown()
        return random.random()  # noqa: S311 - the one that jitters

    assert restored() != restored()
