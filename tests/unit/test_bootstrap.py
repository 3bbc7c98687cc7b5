"""The composition root: the settings decide what it builds, and given stores replace those of the stage."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from functions.adapters.memory import MemoryLedger, memory_stores
from functions.bootstrap import App
from functions.core.dead_letter import Reason
from functions.core.errors import InvalidSetting
from functions.pipelines.logins import PIPELINE
from functions.settings import Settings
from tests.unit.runtimes.world import KEY, SETTINGS, login, slice_of


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "mask-key").write_bytes(KEY)
    return SETTINGS.model_copy(update={"mask_key_from": f"file:{tmp_path / 'mask-key'}"})


def test_given_stores_replace_those_of_the_stage(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(App, "aws", property(lambda _: pytest.fail("an AWS client was requested")))
    stores = memory_stores(PIPELINE, lambda: datetime(2026, 11, 23, tzinfo=UTC))
    app = App(settings, stores)
    assert app.settler.settle(slice_of(login(), login(user_id="u-2"))).rows == 2
    assert app.ledger is stores.ledger
    assert isinstance(app.ledger, MemoryLedger)
    assert [position.next for position in app.ledger.positions.values()] == [2]


def test_a_text_that_the_stages_warehouse_cannot_load_is_rejected_before_it_is_stored(settings: Settings) -> None:
    stores = memory_stores(PIPELINE, lambda: datetime(2026, 11, 23, tzinfo=UTC))
    app = App(settings.model_copy(update={"max_text_bytes": 40}), stores)
    settled = app.settler.settle(slice_of(login(user_id="u" * 41), login(user_id="u" * 40)))
    assert (settled.rows, settled.rejected) == (1, {Reason.UNSTORABLE: 1})


def test_the_settings_override_the_pipelines_limits(settings: Settings) -> None:
    declared = PIPELINE.limits
    assert App(settings).pipeline.limits == declared
    changes = {"flood_ratio": 0.75, "slice_seconds": 7.5, "max_text_bytes": 65_535}
    limits = App(settings.model_copy(update=changes)).pipeline.limits
    assert (limits.flood.ratio, limits.slice_seconds, limits.max_text_bytes) == (0.75, 7.5, 65_535)
    assert (limits.flood.over, limits.slice_records) == (declared.flood.over, declared.slice_records)


@pytest.mark.parametrize("length", [15, 65])
def test_a_mask_key_of_the_wrong_length_is_an_invalid_setting(settings: Settings, length: int) -> None:
    path = Path(settings.mask_key_from.removeprefix("file:"))
    path.write_bytes(b"k" * length)
    with pytest.raises(InvalidSetting) as error:
        _ = App(settings, memory_stores(PIPELINE, lambda: datetime(2026, 11, 23, tzinfo=UTC))).settler
    expected = f"TANDEM_MASK_KEY_FROM: expected a key of 16 to 64 bytes, file:{path} has {length}"
    assert str(error.value) == expected
