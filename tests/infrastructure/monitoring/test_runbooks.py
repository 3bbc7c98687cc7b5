"""Every alarm names a runbook, every runbook is named, and each answers the same questions."""

import re
from pathlib import Path

import pytest

from tests.infrastructure.conftest import ROOT, Templates
from tests.infrastructure.monitoring.watched import alarms

RUNBOOKS = ROOT / "docs" / "runbooks"
RULES = ROOT / "k8s" / "components" / "prometheus" / "rules.yaml"


@pytest.mark.parametrize("stage", ["dev", "prod"])
def test_every_alarm_names_an_existing_runbook(templates: Templates, stage: str) -> None:
    for alarm in alarms(templates, stage).values():
        says, _, link = alarm["AlarmDescription"].rpartition(" ")
        assert says.endswith(".")
        assert (RUNBOOKS / link.split("docs/runbooks/")[1]).is_file()


def test_every_runbook_is_named_by_an_alarm_or_an_alert(templates: Templates) -> None:
    alerts = set(re.findall(r"docs/runbooks/([\w-]+\.md)", RULES.read_text())) if RULES.exists() else set()
    named = {Path(alarm["AlarmDescription"].split()[-1]).name for alarm in alarms(templates, "prod").values()}
    pages = {page.name for page in RUNBOOKS.glob("*.md")}
    assert alerts | named <= pages
    if alerts:
        assert pages <= alerts | named


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("*.md")), ids=lambda page: page.stem)
def test_a_runbook_has_the_same_sections(page: Path) -> None:
    text = page.read_text()
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
        "What it means", "Impact", "Check first", "Likely causes", "Fix", "Resolved when",
    ]  # fmt: skip
    assert "```" in text.split("## Check first")[1].split("## ")[0]


def test_the_runbook_is_a_link_if_the_repository_is_known(ops: Templates) -> None:
    for alarm in alarms(ops, "ops").values():
        link = alarm["AlarmDescription"].split()[-1]
        assert link.startswith("https://github.com/someone/tandem/blob/main/docs/runbooks/")
