"""A stage that a released version deployed is updated by this one, or refused for a reason that the docs give."""

import pytest

from tests.infrastructure.conftest import CONTEXT, ROOT
from tests.infrastructure.upgrade import assembly
from tests.infrastructure.upgrade.account import Account, Refused
from tests.infrastructure.upgrade.changes import LOGINS
from tests.infrastructure.upgrade.conftest import Synthesise

REFUSED = {"0.1.0": r"^exists already: tandem-\w+-network Parametervpcid"}  # parameters have other logical IDs since
VERSIONS = sorted(path.name for path in assembly.RELEASED.iterdir())


@pytest.mark.parametrize("stage", ["dev", "prod"])
@pytest.mark.parametrize("version", VERSIONS)
def test_upgrade(account: Account, synthesised: Synthesise, version: str, stage: str) -> None:
    now = synthesised(CONTEXT["stages"][stage], LOGINS)
    account.deploy(assembly.released(version, stage))
    if version not in REFUSED:
        account.deploy(now)
        return
    with pytest.raises(Refused, match=REFUSED[version]):
        account.deploy(now)
    assert f"### From {version}" in (ROOT / "docs/compatibility.md").read_text()


def test_the_last_version_is_kept() -> None:
    headings = (line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## "))
    released = [line.split()[1] for line in headings if not line.endswith("Unreleased")]
    assert released[0] in VERSIONS


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_templates_are_kept_and_read_without_loss(
    synthesised: Synthesise, stage: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "RELEASED", tmp_path)
    made = synthesised(CONTEXT["stages"][stage], LOGINS)
    assembly.keep("1.0.0", stage, made)
    assert assembly.released("1.0.0", stage) == made
