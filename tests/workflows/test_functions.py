"""functions.sh: aliases are remembered, new versions checked, and aliases pointed back."""

import pytest

from functions import registry
from functions.core import names
from tests.workflows.conftest import Stage

STATE, MAPPING, PROBLEM = "get-function-configuration", "'Disabled'].State", "LastProcessingResult"


@pytest.fixture
def account(stage: Stage) -> Stage:
    stage.stand_in("aws")
    return stage


def test_aliases_are_remembered_and_pointed_back(account: Stage) -> None:
    account.answers.append(("get-alias", "7", 0))
    assert account.run("functions.sh", "remember", "dev").returncode == 0
    functions = [names.function("dev", pipeline) for pipeline in registry.names()]
    assert (account.folder / "build/aliases-dev").read_text().splitlines() == [f"{name} 7" for name in functions]
    assert account.run("functions.sh", "go-back", "dev").returncode == 0
    back = account.calls("update-alias")
    for name, call in zip(functions, back, strict=True):
        assert f"--function-name {name} --name live --function-version 7" in call


def test_a_function_that_is_new_has_nothing_to_go_back_to(account: Stage) -> None:
    account.answers.append(("get-alias", "An error occurred (ResourceNotFoundException)", 254))
    assert account.run("functions.sh", "remember", "dev").returncode == 0
    assert account.run("functions.sh", "go-back", "dev").returncode == 0
    assert account.calls("update-alias") == []


def test_live_is_the_newest_version_even_if_a_release_went_back_from_it(account: Stage) -> None:
    account.answers.append(("list-versions-by-function", '"8"', 0))
    assert account.run("functions.sh", "go-on", "dev").returncode == 0
    for pipeline, call in zip(registry.names(), account.calls("update-alias"), strict=True):
        assert f"--function-name {names.function('dev', pipeline)} --name live --function-version 8" in call


def test_versions_that_cannot_be_told_move_nothing(account: Stage) -> None:
    account.answers.append(("list-versions-by-function", "", 254))
    assert account.run("functions.sh", "go-on", "dev").returncode != 0
    assert account.calls("update-alias") == []


def test_what_stands_passes(account: Stage) -> None:
    checked = account.run("functions.sh", "check", "dev")
    active = [f"{names.function('dev', pipeline)}: active" for pipeline in registry.names()]
    assert (checked.returncode, checked.stdout.splitlines()) == (0, active)


@pytest.mark.parametrize(
    ("asked", "answer", "told"),
    [
        (STATE, "Failed", "tandem-dev-logins: still Failed"),
        (MAPPING, "Updating", "tandem-dev-logins: still Updating"),
        (PROBLEM, "PROBLEM: Connection error", "its mapping says: PROBLEM: Connection error"),
    ],
)
def test_what_does_not_stand_fails(account: Stage, asked: str, answer: str, told: str) -> None:
    account.answers.append((asked, answer, 0))
    checked = account.run("functions.sh", "check", "dev")
    assert checked.returncode == 1
    assert told in checked.stderr


def test_an_answer_that_does_not_come_is_no_pass(account: Stage) -> None:
    account.answers.append((STATE, "", 255))
    assert account.run("functions.sh", "check", "dev").returncode != 0


def test_no_release_begins_without_a_way_back(account: Stage) -> None:
    account.answers.append(("get-alias", "An error occurred (AccessDeniedException)", 254))
    refused = account.run("functions.sh", "remember", "dev")
    assert refused.returncode != 0
    assert "AccessDeniedException" in refused.stderr
