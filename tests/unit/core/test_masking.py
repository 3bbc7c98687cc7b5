"""Masked columns."""

from hashlib import blake2b

from pydantic import BaseModel

from functions.core.masking import Masked, is_masked, mask

KEY = b"0123456789abcdef"


class Row(BaseModel):
    plain: str
    maybe_plain: str | None = None
    hidden: Masked
    maybe: Masked | None = None


def test_masked_fields_are_found_also_when_optional() -> None:
    assert [name for name, field in Row.model_fields.items() if is_masked(field)] == ["hidden", "maybe"]


def test_a_mask_is_a_keyed_blake2b() -> None:
    assert mask(["10.0.0.1"], KEY) == [blake2b(b"10.0.0.1", key=KEY, digest_size=16).hexdigest()]


def test_equal_values_stay_equal_and_none_stays_none() -> None:
    masked = mask(["a", None, "b", "a"], KEY)
    assert masked[0] == masked[3] != masked[2]
    assert masked[1] is None


def test_another_key_gives_another_mask() -> None:
    assert mask(["a"], KEY) != mask(["a"], KEY[::-1])


def test_lone_surrogates_are_masked_too() -> None:
    assert len(mask(["\ud800"], KEY)[0] or "") == 32
